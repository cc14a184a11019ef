// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the tables that are written in C.

fn main() {
    let sources = ["uthash.c", "pool.c"];
    for file in sources.into_iter().chain(["tables.h"]) {
        println!("cargo::rerun-if-changed={file}");
    }
    cc::Build::new()
        .files(sources)
        .opt_level(3)
        .std("c99")
        .extra_warnings(true)
        .warnings_into_errors(true)
        .compile("tables");
}
