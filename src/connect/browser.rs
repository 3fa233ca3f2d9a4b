//! The person's web browser.

/// Whether this machine seems to have one to show something in; over a remote shell there is none.
fn is_there() -> bool {
    const SIGNS: [&str; 4] = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"];
    cfg!(any(windows, target_os = "macos"))
        || SIGNS.into_iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Opens an address in the browser; tells whether that was possible. Nothing is written to the terminal. Blocks for a moment.
pub fn open(address: &str) -> bool {
    if !is_there() {
        return false;
    }
    match open::that_detached(address) {
        Ok(()) => true,
        Err(error) => {
            // The error may hold the address, which is for this person alone.
            tracing::info!(kind = %error.kind(), "No browser could be opened.");
            false
        }
    }
}
