# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What is installed: libraries, headers, and what find_package() and pkg-config find.
# None of it knows where that is, so the whole can be moved. Component Runtime is what
# a program needs that was linked to a shared library, Development is all else.

include(CMakePackageConfigHelpers)
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ttmpool)

install(TARGETS ttmpool ttmpool_pool EXPORT ttmpool-static
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Development)
install(EXPORT ttmpool-static NAMESPACE ttmpool::
  DESTINATION ${config_dir} COMPONENT Development)
if(TTMPOOL_SHARED)
  install(TARGETS ttmpool_shared ttmpool_pool_shared EXPORT ttmpool-shared
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Runtime
    NAMELINK_COMPONENT Development)
  install(EXPORT ttmpool-shared NAMESPACE ttmpool::
    DESTINATION ${config_dir} COMPONENT Development)
endif()
# It needs ttmpool::ttmpool, of whichever kind.
install(TARGETS ttmpool_testing EXPORT ttmpool-testing
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT Development)
install(EXPORT ttmpool-testing NAMESPACE ttmpool::
  DESTINATION ${config_dir} COMPONENT Development)
install(DIRECTORY include/ttmpool DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT Development)
install(FILES shim/userspace/ttmpool_port.h shim/userspace/tpsim.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ttmpool/userspace COMPONENT Development)

configure_package_config_file(cmake/ttmpoolConfig.cmake.in ttmpoolConfig.cmake
  INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(ttmpoolConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ttmpoolConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/ttmpoolConfigVersion.cmake
  DESTINATION ${config_dir} COMPONENT Development)

# The .pc file is so many folders below the prefix. An absolute CMAKE_INSTALL_LIBDIR
# is nowhere below it, and cannot be moved.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(IS_ABSOLUTE ${pc_dir})
  set(PC_PREFIX ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH up /${pc_dir} /)
  string(REGEX REPLACE "/$" "" up "${up}")
  set(PC_PREFIX "\${pcfiledir}/${up}")
endif()
cmake_path(APPEND PC_LIBDIR "\${prefix}" "${CMAKE_INSTALL_LIBDIR}")
cmake_path(APPEND PC_INCLUDEDIR "\${prefix}" "${CMAKE_INSTALL_INCLUDEDIR}")
foreach(PC_NAME ttmpool ttmpool-pool ttmpool-testing)
  set(PC_REQUIRES "")
  if(PC_NAME STREQUAL "ttmpool-testing")
    set(PC_REQUIRES ttmpool)
  endif()
  configure_file(cmake/ttmpool.pc.in ${PC_NAME}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${PC_NAME}.pc DESTINATION ${pc_dir}
    COMPONENT Development)
endforeach()
