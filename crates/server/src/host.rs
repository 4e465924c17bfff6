//! Which hosts this server answers for.
//!
//! A page of another site can make its own name resolve to 127.0.0.1 and then talks to a server here as if it were its
//! own (DNS rebinding). Its requests still carry its name in `Host`, so only known names are answered.

use std::net::IpAddr;

/// The hosts this server answers for.
#[derive(Clone, Debug)]
pub struct HostAllowList {
    port: u16,
    public: Vec<String>,
}

impl HostAllowList {
    /// Loopback with `port`, and the `public` hosts as given, with or without a port.
    pub fn new(port: u16, public: &[String]) -> Self {
        Self { port, public: public.iter().map(|host| host.to_ascii_lowercase()).collect() }
    }

    /// Whether the value of a `Host` header is one of them.
    pub fn allows(&self, host: &str) -> bool {
        self.is_loopback(host) || self.public.contains(&host.to_ascii_lowercase())
    }

    /// Whether it is a name or address of this machine's loopback, with our port.
    pub fn is_loopback(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            // Left out where it is the scheme's.
            _ => (host, matches!(self.port, 80 | 443).then_some(self.port)),
        };
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let is_loopback_address = address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        port == Some(self.port) && (name.eq_ignore_ascii_case("localhost") || is_loopback_address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_with_our_port_and_named_hosts_are_ours() {
        let ours = HostAllowList::new(8080, &["Upload.example.com".into(), "lan:8443".into()]);
        for good in [
            "localhost:8080",
            "LOCALHOST:8080",
            "127.0.0.1:8080",
            "127.0.0.9:8080",
            "[::1]:8080",
            "upload.example.com",
            "UPLOAD.example.com",
            "lan:8443",
        ] {
            assert!(ours.allows(good), "{good}");
        }
        for bad in [
            "",
            "localhost",
            "localhost:80",
            "localhost:08080x",
            "127.0.0.1",
            "127.0.0.1.nip.io:8080",
            "attacker.test:8080",
            "localhost.:8080",
            "localhost@evil:8080",
            "0.0.0.0:8080",
            "upload.example.com.evil.test",
            "upload.example.com:8080",
            "lan",
            "[::1]",
            "[::1]8080",
            "2130706433:8080",
            "xlocalhost:8080",
        ] {
            assert!(!ours.allows(bad), "{bad}");
        }
        assert!(HostAllowList::new(80, &[]).allows("localhost"));
        assert!(HostAllowList::new(443, &[]).allows("localhost"));
        assert!(!ours.is_loopback("upload.example.com"));
    }
}
