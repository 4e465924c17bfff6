//! The browser package.
