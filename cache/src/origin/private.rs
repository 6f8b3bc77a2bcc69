//! Private networks: a mirror with a public name does not lead into one.
//!
//! A name is resolved by whoever owns it, and may lead anywhere tomorrow. So addresses are checked when a connection is made,
//! by the resolver of the HTTP client. A mirror that is an address, or whose name only means something in a private network
//! (`localhost`, `archive.default.svc`), names a private address itself, and may have one.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

/// Last labels of names that mean something in a private network only.
const PRIVATE_NAMES: [&str; 8] = ["localhost", "local", "internal", "svc", "lan", "home", "intranet", "test"];

/// How a name becomes addresses.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// A public name that leads to private addresses only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the name {name} leads to private addresses only")]
pub struct PrivateAddress {
    name: String,
}

/// Resolves the names of one mirror's connections.
#[derive(Clone)]
pub struct PublicAddresses {
    lookup: Lookup,
}

impl fmt::Debug for PublicAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicAddresses")
    }
}

impl PublicAddresses {
    /// By the system's resolver.
    pub fn new() -> Self {
        Self::by(Arc::new(|name| {
            Box::pin(async move { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) })
        }))
    }

    pub fn by(lookup: Lookup) -> Self {
        Self { lookup }
    }
}

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let found = (self.lookup)(name.clone());
        Box::pin(async move {
            let mut addresses = found.await?;
            let any = !addresses.is_empty();
            addresses.retain(|address| is_public(address.ip()));
            if any && addresses.is_empty() {
                return Err(PrivateAddress { name }.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether the host of a mirror may be at a private address, because it says so itself.
pub fn names_a_private_network(host: Option<&Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let last = name.rsplit('.').next().unwrap_or(name);
            !name.contains('.') || PRIVATE_NAMES.iter().any(|private| last.eq_ignore_ascii_case(private))
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => true,
    }
}

/// Whether the cause of an error is that an address was refused.
pub fn is_refusal(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<PrivateAddress>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether an address is of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let special = a == 0 || a >= 224 || (a == 198 && (18..20).contains(&b)) || (a, b, c) == (192, 0, 0);
    let private = address.is_private() || address.is_loopback() || address.is_link_local();
    !(private || shared || special || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let [first, second, ..] = address.segments();
    // An IPv4 address behind a translator.
    if (first, second) == (0x64, 0xff9b) {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Global unicast, without documentation.
    (0x2000..0x4000).contains(&first) && (first, second) != (0x2001, 0xdb8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_public() {
        let private = "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 \
            255.255.255.255 198.18.0.1 192.0.2.1 ::1 :: fc00::1 fe80::1 ff02::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2001:db8::1";
        for address in private.split_whitespace() {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_mirror_names_a_private_network_by_an_address_or_a_name_of_one() {
        let names = |url: &str| names_a_private_network(url::Url::parse(url).unwrap().host().as_ref());
        for url in ["http://10.0.0.1/", "http://[::1]/", "http://localhost/", "http://archive/", "http://a.b.svc/"] {
            assert!(names(url), "{url}");
        }
        assert!(names("http://a.b.svc.cluster.local:80/"));
        for url in
            ["https://rawdata.oceanobservatories.org/", "http://localhost.example.org/", "http://svc.example.org"]
        {
            assert!(!names(url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_both_is_reached_at_its_public_addresses_only() {
        let addresses = |name: &str| -> Vec<SocketAddr> {
            let both = ["10.0.0.1:0", "8.8.8.8:0"].map(|text| text.parse().unwrap()).to_vec();
            if name == "both.example.org" { both } else { both[..1].to_vec() }
        };
        let resolver = PublicAddresses::by(Arc::new(move |name| {
            let found = addresses(&name);
            Box::pin(async move { Ok(found) })
        }));
        let resolve = async |name: &str| resolver.resolve(name.parse().unwrap()).await.map(Iterator::collect::<Vec<_>>);
        assert_eq!(resolve("both.example.org").await.unwrap(), ["8.8.8.8:0".parse().unwrap()]);
        let error = resolve("private.example.org").await.map(drop).unwrap_err();
        assert!(is_refusal(error.as_ref()));
    }
}
