# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What is installed can be used from another project, in C and C++.
#
#   cmake -DWAY=way -DKIND=static|shared -DWORK=dir -DSOURCE=dir -DCC=cc -DCXX=c++
#     [-DPREFIX=dir] -P package.cmake
#
# WAY   install       build the source as a packager does, install it,
#                     and move all of it to another folder: to WORK/prefix
#       find          programs that find it there by find_package()
#       pkg-config    programs that find it there by pkg-config
#       subdirectory, fetch
#                     programs that add the source to their own project
#
# PREFIX, if it is set, is where somebody else has installed it.

cmake_minimum_required(VERSION 3.25)
set(prefix ${WORK}/prefix)
if(PREFIX)
  set(prefix ${PREFIX})
endif()
set(here ${CMAKE_CURRENT_LIST_DIR})
set(build ${WORK}/${WAY}-${KIND})
set(shared OFF)
if(KIND STREQUAL "shared")
  set(shared ON)
endif()

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()

# Is a program linked to the shared library, or has it all of it?
function(linked_as program)
  execute_process(COMMAND readelf -d ${program} OUTPUT_VARIABLE needed
                  COMMAND_ERROR_IS_FATAL ANY)
  set(found static)
  if(needed MATCHES "NEEDED.*libttmpool[-a-z]*\\.so\\.0\\]")
    set(found shared)
  endif()
  if(NOT found STREQUAL KIND)
    message(FATAL_ERROR "package: ${program} is ${found}, not ${KIND}")
  endif()
endfunction()

function(install_it)
  file(REMOVE_RECURSE ${WORK}/build ${WORK}/built ${WORK}/before ${prefix})
  run(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build -DCMAKE_C_COMPILER=${CC}
    -DCMAKE_BUILD_TYPE=Debug -DTTMPOOL_TESTS=OFF -DTTMPOOL_TOOLS=OFF
    -DCMAKE_INSTALL_PREFIX=/nowhere)
  run(${CMAKE_COMMAND} --build ${WORK}/build)
  run(${CMAKE_COMMAND} --install ${WORK}/build --prefix ${WORK}/before)
  file(RENAME ${WORK}/before ${prefix})
  # No consumer may find it where it was built.
  file(RENAME ${WORK}/build ${WORK}/built)
  file(GLOB_RECURSE texts ${prefix}/*.pc ${prefix}/*.cmake)
  foreach(text ${texts})
    file(STRINGS ${text} lines REGEX "/nowhere|${WORK}")
    if(lines)
      message(FATAL_ERROR "package: ${text} knows where it was: ${lines}")
    endif()
  endforeach()
endfunction()

# A project for CMake. It installs what is its own; and where ttmpool is a part of
# it, nothing is compiled with -Werror that is not its own.
function(use_by_cmake)
  file(REMOVE_RECURSE ${build})
  run(${CMAKE_COMMAND} -S ${here}/consumer -B ${build} -DWAY=${WAY}
    -DBUILD_SHARED_LIBS=${shared} -DCMAKE_C_COMPILER=${CC}
    -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_PREFIX_PATH=${prefix}
    -DTTMPOOL_SOURCE=${SOURCE} -DCMAKE_EXPORT_COMPILE_COMMANDS=ON)
  file(STRINGS ${build}/compile_commands.json commands REGEX "\"command\"")
  foreach(command ${commands})
    if(command MATCHES "/lib/pool/" AND command MATCHES "-Werror")
      message(FATAL_ERROR "package: warnings are errors: ${command}")
    endif()
  endforeach()
  run(${CMAKE_COMMAND} --build ${build})
  foreach(program pages buffers buffers_cxx runner)
    run(${build}/${program})
    linked_as(${build}/${program})
  endforeach()
  run(${CMAKE_COMMAND} --install ${build} --prefix ${build}/out)
  file(GLOB_RECURSE out RELATIVE ${build}/out ${build}/out/*)
  if(NOT out STREQUAL "bin/pages")
    message(FATAL_ERROR "package: not its own is installed, too: ${out}")
  endif()
endfunction()

# pkg_config(VARIABLE ARGS...)
function(pkg_config variable)
  file(GLOB pc ${prefix}/lib*/pkgconfig/ttmpool.pc
    ${prefix}/lib*/*/pkgconfig/ttmpool.pc)
  cmake_path(GET pc PARENT_PATH pc_dir)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${pc_dir}
      pkg-config ${ARGN}
    OUTPUT_VARIABLE text OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(text UNIX_COMMAND "${text}")
  set(${variable} ${text} PARENT_SCOPE)
endfunction()

function(use_by_pkg_config)
  file(REMOVE_RECURSE ${build})
  file(MAKE_DIRECTORY ${build})
  pkg_config(libdir --variable=libdir ttmpool)
  set(strict -Wall -Wextra -Wpedantic -Werror)
  set(static "")
  if(KIND STREQUAL "static")
    set(static --static)
    set(strict ${strict} -static)
  endif()
  pkg_config(pool ${static} --cflags --libs ttmpool-pool)
  pkg_config(both ${static} --cflags --libs ttmpool)
  run(${CC} -std=c11 ${strict} ${here}/consumer/pages.c -o ${build}/pages ${pool})
  run(${CC} -std=c11 ${strict} ${SOURCE}/examples/first-buffer.c
    -o ${build}/buffers ${both})
  pkg_config(testing ${static} --cflags --libs ttmpool-testing)
  foreach(standard 11 20)
    run(${CXX} -std=c++${standard} ${strict} ${here}/consumer/runner.cc
      -o ${build}/runner${standard} ${testing})
    run(${CXX} -std=c++${standard} ${strict} ${here}/consumer/buffers.cc
      -o ${build}/buffers_cxx${standard} ${both})
  endforeach()
  set(ENV{LD_LIBRARY_PATH} ${libdir})
  foreach(program pages buffers buffers_cxx11 buffers_cxx20 runner11 runner20)
    run(${build}/${program})
    linked_as(${build}/${program})
  endforeach()

  # The headers, the .pc file and CMake's have one version.
  pkg_config(version --modversion ttmpool)
  run(${CC} -std=c11 ${here}/consumer/version.c -o ${build}/version ${both})
  execute_process(COMMAND ${build}/version OUTPUT_VARIABLE text
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  if(NOT text STREQUAL "${version} ${version}")
    message(FATAL_ERROR "package: the headers say ${text}, ttmpool.pc ${version}")
  endif()

  # Whoever ignores what is lost then is warned.
  execute_process(COMMAND ${CC} -std=c11 -c -Werror ${here}/consumer/ignores.c
      -o ${build}/ignores.o ${both}
    RESULT_VARIABLE result ERROR_VARIABLE text)
  if(result EQUAL 0 OR NOT text MATCHES "unused-result")
    message(FATAL_ERROR "package: an ignored result is no warning: ${text}")
  endif()
endfunction()

if(WAY STREQUAL "install")
  install_it()
elseif(WAY STREQUAL "pkg-config")
  use_by_pkg_config()
else()
  use_by_cmake()
endif()
message("package: ${WAY} ${KIND}: done")
