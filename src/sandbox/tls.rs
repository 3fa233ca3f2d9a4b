//! HTTP and HTTPS on loopback: a certificate authority made on the spot, a leaf for the names asked for, and one `serve`
//! for both. The org and the platforms are served by it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Extension;
use axum::Router;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How a request reached the server; handlers build absolute addresses from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The word in front of `://`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Key or certificate generation failed.
    #[error("the sandbox could not make its certificate: {0}; start it without TLS")]
    Make(#[from] rcgen::Error),
    /// The TLS library refused the certificate.
    #[error("the sandbox's certificate was refused by the TLS library: {0}; start it without TLS")]
    Refused(#[from] rustls::Error),
}

/// A certificate authority of one sandbox and the acceptor for its servers.
pub struct Certificate {
    ca_pem: String,
    acceptor: TlsAcceptor,
}

impl Certificate {
    /// Makes a new authority and a leaf for `hosts`, `localhost` and `127.0.0.1`.
    pub fn make(hosts: &[String]) -> Result<Self, CertificateError> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::new(Vec::new())?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name.push(DnType::CommonName, "forcesync sandbox CA");
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_certificate = ca.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca, ca_key);

        let key = KeyPair::generate()?;
        let mut names = vec!["localhost".to_owned()];
        names.extend(hosts.iter().filter(|host| host.parse::<IpAddr>().is_err()).cloned());
        let mut leaf = CertificateParams::new(names)?;
        leaf.distinguished_name.push(DnType::CommonName, "forcesync sandbox");
        leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        leaf.subject_alt_names.push(SanType::IpAddress(IpAddr::from([127, 0, 0, 1])));
        leaf.subject_alt_names.push(SanType::IpAddress(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])));
        for address in hosts.iter().filter_map(|host| host.parse::<IpAddr>().ok()) {
            leaf.subject_alt_names.push(SanType::IpAddress(address));
        }
        let certificate = leaf.signed_by(&key, &issuer)?;

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![certificate.der().clone(), ca_certificate.der().clone()];
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { ca_pem: ca_certificate.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// The authority's certificate, for clients that must trust this sandbox.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// What [`serve`] needs to speak TLS.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }
}

/// Serves `router` on `listener` until `shutdown` ends, over TLS when an acceptor is given.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    match acceptor {
        None => {
            let router = router.layer(Extension(Scheme::Http));
            let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
                // Small replies must not wait for more: a refusal of this option costs speed only.
                let _ = stream.set_nodelay(true);
            });
            axum::serve(listener, router).with_graceful_shutdown(shutdown).await
        }
        Some(acceptor) => {
            let router = router.layer(Extension(Scheme::Https));
            axum::serve(TlsListener::start(listener, acceptor)?, router)
                .with_graceful_shutdown(shutdown)
                .await
        }
    }
}

/// Accepts connections and shakes hands off the accept loop, so that a client that connects and says nothing holds up
/// nobody else.
struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    accepting: tokio::task::JoinHandle<()>,
}

impl TlsListener {
    fn start(listener: TcpListener, acceptor: TlsAcceptor) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(64);
        let accepting = tokio::spawn(async move {
            loop {
                let Ok((stream, peer)) = listener.accept().await else {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    let greeting =
                        tokio::time::timeout(std::time::Duration::from_secs(10), acceptor.accept(stream));
                    if let Ok(Ok(stream)) = greeting.await {
                        // The server is going down when nobody receives: the connection is dropped with it.
                        let _ = sender.send((stream, peer)).await;
                    }
                });
            }
        });
        Ok(Self { ready, address, accepting })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_for_names_and_addresses() {
        let made = Certificate::make(&["acme.my.salesforce.com".to_owned(), "127.0.0.2".to_owned()]).unwrap();
        assert!(made.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    }
}
