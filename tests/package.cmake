# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What is installed can be found, and linked, floor by floor: by find_package(), and
# by pkg-config, where there is one.
#
#   cmake -DBUILD=dir -DPREFIX=dir -DCC=cc -DEXAMPLE=file -DCONSUMER=dir
#     -P package.cmake

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()

file(REMOVE_RECURSE ${PREFIX})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX})
run(${CMAKE_COMMAND} -S ${CONSUMER} -B ${PREFIX}/consumer
  -DCMAKE_C_COMPILER=${CC} -DCMAKE_PREFIX_PATH=${PREFIX} -DEXAMPLE=${EXAMPLE})
run(${CMAKE_COMMAND} --build ${PREFIX}/consumer)
run(${PREFIX}/consumer/pages)
run(${PREFIX}/consumer/buffers)

file(GLOB_RECURSE pc ${PREFIX}/*/ttmpool.pc)
get_filename_component(pc "${pc}" DIRECTORY)
execute_process(COMMAND ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${pc}
    pkg-config --define-variable=prefix=${PREFIX} --cflags --libs ttmpool
  OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
run(${CC} -std=c11 ${EXAMPLE} -o ${PREFIX}/by-pkg-config ${flags})
run(${PREFIX}/by-pkg-config)
message("package: ttmpool::pool and ttmpool::ttmpool are found, linked and run")
