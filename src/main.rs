//! The `fivenines` program; everything is in the library.

fn main() -> std::process::ExitCode {
    fivenines::cli::main()
}
