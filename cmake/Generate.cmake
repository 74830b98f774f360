# Headers made from tables, so that a new operation is one row.
set(ops_def ${CMAKE_SOURCE_DIR}/src/graph/ops.def)
