// SPDX-License-Identifier: MIT OR Apache-2.0
//! Replays the committed corpora, without a fuzzer.

use std::fs;
use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files = 0;
    for file in fs::read_dir(&folder).expect("the corpus of the target") {
        let path = file.expect("a file of the corpus").path();
        // Shown when the test fails.
        println!("{}", path.display());
        run(&fs::read(&path).expect("a readable file"));
        files += 1;
    }
    assert_ne!(files, 0, "{} is empty", folder.display());
}

#[test]
fn attach() {
    replay("attach", evagg_fuzz::attach::run);
}

#[test]
fn calls() {
    replay("calls", evagg_fuzz::calls::run);
}

#[test]
fn packets() {
    replay("packets", evagg_fuzz::packets::run);
}

#[test]
fn command_lines() {
    replay("command_lines", evagg_fuzz::command_lines::run);
}
