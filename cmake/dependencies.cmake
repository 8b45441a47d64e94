# Everything from Debian 12. A layer names what it links; nothing is linked for all.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)

# llhttp comes as C sources inside Debian's node-llhttp.
set(HALE_LLHTTP_DIR /usr/share/llhttp CACHE PATH "Where llhttp's C sources are")
add_library(hale_llhttp STATIC
  ${HALE_LLHTTP_DIR}/api.c ${HALE_LLHTTP_DIR}/http.c ${HALE_LLHTTP_DIR}/llhttp.c)
target_include_directories(hale_llhttp SYSTEM PUBLIC /usr/share/include/llhttp)

# Asio as the reactor below hale/net: header only, no deprecated names.
add_library(hale_asio INTERFACE)
target_link_libraries(hale_asio INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(hale_asio INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_DATE_TIME)

if(HALE_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark REQUIRED)
endif()
