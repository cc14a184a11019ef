// SPDX-License-Identifier: MIT OR Apache-2.0
//! The panic handler of the static library on bare metal.
//!
//! An optimised build has no panic left in it: the handler calls a function that nobody defines, so that one which
//! creeps in fails the link of every firmware. A debug build keeps the checks of the compiler, and halts in them.

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    #[cfg(not(debug_assertions))]
    {
        unsafe extern "C" {
            safe fn evagg_this_build_can_panic() -> !;
        }
        evagg_this_build_can_panic()
    }
    #[cfg(debug_assertions)]
    loop {
        core::hint::spin_loop();
    }
}
