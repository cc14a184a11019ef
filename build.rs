// SPDX-License-Identifier: MIT OR Apache-2.0
//! With the feature `header`: makes the C header from `src/ffi` and holds it against `include/evagg.h`.
//!
//! The header is put together from one cbindgen run for each file, so that it stands in the order a user needs it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "header")]
    header::check();
}

#[cfg(feature = "header")]
mod header {
    use std::fmt::Write as _;
    use std::path::Path;
    use std::{env, fs};

    const HEADER: &str = "include/evagg.h";

    /// What stands above each part, and the file it is made from.
    const PARTS: &[(&str, &str)] = &[
        ("Statuses", "status"),
        ("Configuration", "config"),
        ("Windows and statistics", "window"),
        ("Warnings", "warning"),
        ("Connections", "connections"),
        ("Processes", "processes"),
    ];

    pub fn check() {
        println!("cargo::rerun-if-env-changed=EVAGG_WRITE_HEADER");
        println!("cargo::rerun-if-changed={HEADER}");
        println!("cargo::rerun-if-changed=cbindgen");
        println!("cargo::rerun-if-changed=src/ffi");
        let made = make();
        if fs::read_to_string(HEADER).is_ok_and(|committed| committed == made) {
            return;
        }
        if env::var_os("EVAGG_WRITE_HEADER").is_some() {
            fs::write(HEADER, made).expect("the header can be written");
        } else {
            println!("cargo::error={HEADER} is not what src/ffi says; `make header` writes it anew");
        }
    }

    fn make() -> String {
        let mut header = fs::read_to_string("cbindgen/prologue.h").expect("the prologue is there");
        for name in ["MAJOR", "MINOR", "PATCH"] {
            let number = env::var(format!("CARGO_PKG_VERSION_{name}")).expect("cargo sets it");
            header = header.replace(&format!("@{name}@"), &number);
        }
        for (title, file) in PARTS {
            let config = cbindgen::Config::from_file("cbindgen/cbindgen.toml").expect("the configuration is valid");
            let mut part = Vec::new();
            cbindgen::Builder::new()
                .with_config(config)
                .with_src(Path::new("src/ffi").join(file).with_extension("rs"))
                .generate()
                .expect("cbindgen understands src/ffi")
                .write(&mut part);
            let part = String::from_utf8(part).expect("cbindgen writes UTF-8");
            write!(header, "\n/* {title} */\n\n{}", tidy(&part)).expect("a string takes all");
            let macros = format!("cbindgen/{file}.h");
            if let Ok(macros) = fs::read_to_string(macros) {
                write!(header, "\n{}\n", macros.trim()).expect("a string takes all");
            }
        }
        header.push_str(&fs::read_to_string("cbindgen/epilogue.h").expect("the epilogue is there"));
        header
    }

    /// Comments of one line on one line, constants close together, negative constants in parentheses.
    fn tidy(part: &str) -> String {
        let lines: Vec<&str> = part.trim().lines().collect();
        let mut tidied: Vec<String> = Vec::new();
        let mut rest = lines.as_slice();
        while let Some((&line, after)) = rest.split_first() {
            if let ("/**", [text, end, ..]) = (line.trim(), after)
                && end.trim() == "*/"
            {
                let indent = line.len() - line.trim_start().len();
                let text = text.trim().trim_start_matches('*').trim();
                let follows_constant = tidied.len() > 1 && tidied[tidied.len() - 2].starts_with("#define");
                let starts_constant = after.get(2).is_some_and(|next| next.starts_with("#define"));
                if follows_constant && starts_constant && tidied.last().is_some_and(String::is_empty) {
                    tidied.pop();
                }
                tidied.push(format!("{:indent$}/** {text} */", ""));
                rest = &after[2..];
                continue;
            }
            tidied.push(match line.rsplit_once(" -") {
                Some((constant, number)) if constant.starts_with("#define") => format!("{constant} (-{number})"),
                _ => line.to_owned(),
            });
            rest = after;
        }
        tidied.join("\n") + "\n"
    }
}
