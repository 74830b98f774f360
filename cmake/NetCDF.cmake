# netCDF-C: the header is needed to build; the library is loaded at run time (src/store/netcdf.c) by the name that its
# version has, as in libnetcdf.so.19. NETCDF_INCLUDE_DIR and CREDENCE_NETCDF_LIBRARY.
pkg_check_modules(NETCDF_PC QUIET netcdf)
find_path(NETCDF_INCLUDE_DIR netcdf.h HINTS ${NETCDF_PC_INCLUDE_DIRS} REQUIRED)
find_library(NETCDF_LIBRARY netcdf HINTS ${NETCDF_PC_LIBRARY_DIRS} REQUIRED)
get_filename_component(netcdf_file ${NETCDF_LIBRARY} REALPATH)
get_filename_component(netcdf_file ${netcdf_file} NAME)
# libnetcdf.so.19.1.0 -> libnetcdf.so.19: what every installation of that version has
string(REGEX REPLACE "(\\.so\\.[0-9]+).*" "\\1" netcdf_file ${netcdf_file})
set(CREDENCE_NETCDF_LIBRARY ${netcdf_file} CACHE STRING "name or path by which netCDF is loaded")
