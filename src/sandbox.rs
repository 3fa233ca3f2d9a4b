//! A Salesforce org and the platforms, emulated over real HTTP on loopback.
//!
//! [`Sandbox::start`] makes the people, puts them into both services, binds two ports and says where and how to sign
//! in ([`Ready`]). `org` and `platform` are the services, `people` and `seed` what is in them, `faults` what goes
//! wrong, `life` what happens by itself, `steer` the way to control all that over HTTP, `calls` the log.
//!
//! The sandbox shares nothing with the rest of the program, not even a type: a mistake in a client must not be repeated
//! in its judge.

pub mod calls;
pub mod clock;
pub mod faults;
pub mod life;
pub mod org;
pub mod people;
pub mod platform;
pub mod ready;
pub mod seed;
pub mod steer;
pub mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use calls::CallLog;
use clock::SandboxClock;
use faults::{FaultPlan, Layer, Side};
use life::Life;
use org::{Org, OrgOptions, RowFaults};
use people::{People, PeopleOptions, Planted};
use platform::salesmanago::{Salesmanago, SalesmanagoOptions};
use platform::{EMULATORS, Emulator, Founding};
pub use ready::Ready;
use steer::Steering;

/// How a sandbox is set up.
#[derive(Clone)]
pub struct SandboxOptions {
    /// Which platform stands beside the org.
    pub platform: String,
    /// How many people the org has.
    pub records: u64,
    /// What everything follows from.
    pub seed: u64,
    /// The port of the org, the platform's being the next; free ones if left out.
    pub port: Option<u16>,
    /// Serve HTTPS, with a certificate for these names besides loopback's.
    pub tls: Option<Vec<String>>,
    /// Edits each second on both sides.
    pub life_per_second: f64,
    /// Whether the org has person accounts.
    pub person_accounts: bool,
    /// Whether the platform enforces its pace limit.
    pub real_pace: bool,
    /// Whether the org has the objects and fields of the vendor's package, as after its installation.
    pub package: bool,
    /// Objects and fields of another org, which take the place of those of the same name.
    pub shape: Option<org::ExtraSchema>,
    /// Where a platform of files keeps them; in the system's temporary folder if left out.
    pub folder: Option<std::path::PathBuf>,
    /// Stop the clock at this moment, in milliseconds; a running clock if left out.
    pub fixed_clock: Option<i64>,
    /// How the org is set up; seed and person accounts are taken from here.
    pub org: OrgOptions,
    /// How the platform is set up; seed, pace and scheme are taken from here.
    pub salesmanago: SalesmanagoOptions,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            platform: "salesmanago".into(),
            records: 1000,
            seed: 1,
            port: None,
            tls: None,
            life_per_second: 0.0,
            person_accounts: false,
            real_pace: false,
            package: true,
            shape: None,
            folder: None,
            fixed_clock: None,
            org: OrgOptions::default(),
            salesmanago: SalesmanagoOptions::default(),
        }
    }
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// There is no such platform in the sandbox.
    #[error("the sandbox has no platform {word:?}; it has: {known}")]
    UnknownPlatform {
        /// What was asked for.
        word: String,
        /// Those that there are.
        known: String,
    },
    /// A port is taken.
    #[error(
        "the sandbox cannot listen on 127.0.0.1:{port}: {source}; choose another port with --port, or none"
    )]
    Listen {
        /// Which.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] tls::CertificateError),
    /// An embedded file is broken.
    #[error(transparent)]
    Data(#[from] people::DataError),
    /// Seeding was interrupted.
    #[error("the sandbox's people could not be made: {0}")]
    Seeding(tokio::task::JoinError),
}

/// Faults of rows come from the plan like all others.
impl RowFaults for FaultPlan {
    fn row(&self, object: &str, operation: &str) -> Option<(String, String)> {
        FaultPlan::row(self, object, operation)
    }
}

/// A running sandbox. Dropping it stops the servers at once; [`stop`](Self::stop) lets requests under way finish.
pub struct Sandbox {
    steering: Arc<Steering>,
    salesmanago: Arc<Salesmanago>,
    ready: Ready,
    ca_pem: Option<String>,
    stopping: watch::Sender<bool>,
    servers: JoinSet<std::io::Result<()>>,
    living: JoinHandle<()>,
}

impl Sandbox {
    /// Makes the people, binds the ports and serves.
    pub async fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        if !EMULATORS.iter().any(|(word, _)| *word == options.platform) {
            let known = EMULATORS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            return Err(SandboxError::UnknownPlatform { word: options.platform, known });
        }
        let (org_listener, platform_listener) = listen(options.port).await?;
        let certificate = options.tls.as_deref().map(tls::Certificate::make).transpose()?;
        let scheme = if certificate.is_some() { "https" } else { "http" };
        let clock = Arc::new(options.fixed_clock.map_or_else(SandboxClock::new, SandboxClock::fixed));
        let (steering, salesmanago) = make(&options, scheme, &clock).await?;

        let org_address = address(&org_listener)?;
        let platform_address = address(&platform_listener)?;
        let ready = Ready::of(
            &steering,
            &options,
            &format!("{scheme}://{org_address}"),
            &format!("{scheme}://{platform_address}"),
        );
        let layer = |side, router: Router| {
            let layer = Layer {
                side,
                faults: Arc::clone(&steering.faults),
                calls: Arc::clone(&steering.calls),
                clock: Arc::clone(&clock),
            };
            router.layer(axum::middleware::from_fn_with_state(Arc::new(layer), faults::strike))
        };
        // Steering stands outside the layer: it is neither logged nor struck.
        let org_router = steering.router().merge(layer(Side::Salesforce, steering.org.router()));
        let platform_router = layer(Side::Platform, Arc::clone(&steering.platform).router());
        let (stopping, stopped) = watch::channel(false);
        let mut servers = JoinSet::new();
        for (listener, router) in [(org_listener, org_router), (platform_listener, platform_router)] {
            let acceptor = certificate.as_ref().map(tls::Certificate::acceptor);
            servers.spawn(tls::serve(listener, router, acceptor, until(stopped.clone())));
        }
        steering.life.set_per_second(options.life_per_second);
        let living = tokio::spawn(Arc::clone(&steering.life).run());
        let ca_pem = certificate.map(|certificate| certificate.ca_pem().to_owned());
        Ok(Self { steering, salesmanago, ready, ca_pem, stopping, servers, living })
    }

    /// Where and how to sign in, and what is planted.
    pub fn ready(&self) -> Ready {
        self.ready.clone()
    }

    /// The certificate authority to trust, in a sandbox with TLS. Whoever writes it to a file sets
    /// [`Ready::ca_file`].
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The org.
    pub fn org(&self) -> &Arc<Org> {
        &self.steering.org
    }

    /// The platform.
    pub fn platform(&self) -> &Arc<dyn Emulator> {
        &self.steering.platform
    }

    /// The platform where it is SALESmanago, else an account that nobody uses.
    pub fn salesmanago(&self) -> &Arc<Salesmanago> {
        &self.salesmanago
    }

    /// The time of both.
    pub fn clock(&self) -> &Arc<SandboxClock> {
        &self.steering.clock
    }

    /// What goes wrong. [`arm_fault`](Self::arm_fault) also makes the services follow late commits.
    pub fn faults(&self) -> &Arc<FaultPlan> {
        &self.steering.faults
    }

    /// Arms a fault, as `POST /_sandbox/faults` does.
    pub fn arm_fault(&self, fault: faults::Fault) {
        self.steering.arm(fault);
    }

    /// What was asked.
    pub fn calls(&self) -> &Arc<CallLog> {
        &self.steering.calls
    }

    /// Who edits records.
    pub fn life(&self) -> &Arc<Life> {
        &self.steering.life
    }

    /// What was planted.
    pub fn planted(&self) -> &Planted {
        &self.steering.planted
    }

    /// Stops: no new connections, requests under way finish, and what is not done after a second is dropped.
    pub async fn stop(mut self) {
        self.living.abort();
        self.stopping.send_replace(true);
        let finishing = async { while self.servers.join_next().await.is_some() {} };
        // Idle connections of clients that are not told to close would hold the servers up for ever.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), finishing).await;
        self.servers.abort_all();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.living.abort();
    }
}

/// Makes both services and the people in them.
async fn make(
    options: &SandboxOptions,
    scheme: &'static str,
    clock: &Arc<SandboxClock>,
) -> Result<(Arc<Steering>, Arc<Salesmanago>), SandboxError> {
    let people = Arc::new(People::new(PeopleOptions {
        seed: options.seed,
        records: options.records,
        person_accounts: options.person_accounts,
    })?);
    let founding = Founding {
        seed: options.seed,
        real_pace: options.real_pace,
        scheme,
        clock,
        folder: options.folder.as_deref(),
        salesmanago: &options.salesmanago,
    };
    let salesmanago = Salesmanago::of(&founding);
    let platform: Arc<dyn Emulator> = match EMULATORS.iter().find(|(word, _)| *word == options.platform) {
        Some((word, found)) if *word != "salesmanago" => found(&founding),
        _ => Arc::clone(&salesmanago) as Arc<dyn Emulator>,
    };
    let mut org_options =
        OrgOptions { seed: options.seed, person_accounts: options.person_accounts, ..options.org.clone() };
    let package = platform.org_schema().and_then(|text| org::ExtraSchema::parse(text).ok());
    org_options.extra_schema.extend(package.clone());
    org_options.extra_schema.extend(options.shape.clone());
    let org = Org::new(org_options, Arc::clone(clock));
    let package_missing = package.filter(|_| !options.package);
    if let Some(package) = &package_missing {
        org.hide_package(package);
    }
    let seeding = {
        let (people, org, platform) = (Arc::clone(&people), Arc::clone(&org), Arc::clone(&platform));
        let (now, marked) = (clock.now_ms(), package_missing.is_none());
        move || seed::Seeding { people: &people, org: &org, platform: &platform, marked, now }.run()
    };
    let seeded = tokio::task::spawn_blocking(seeding).await.map_err(SandboxError::Seeding)?;
    let faults = Arc::new(FaultPlan::default());
    org.set_row_faults(Arc::clone(&faults) as Arc<dyn RowFaults>);
    let planted = people.planted().clone();
    let life = Life::new(people, Arc::clone(&org), Arc::clone(&platform), seeded, options.seed);
    let steering = Arc::new(Steering {
        org,
        platform,
        clock: Arc::clone(clock),
        faults,
        calls: Arc::new(CallLog::default()),
        life,
        planted,
    });
    Ok((steering, salesmanago))
}

async fn listen(port: Option<u16>) -> Result<(TcpListener, TcpListener), SandboxError> {
    let bind = async |port: u16| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        listener.map_err(|source| SandboxError::Listen { port, source })
    };
    let org = bind(port.unwrap_or(0)).await?;
    // Port 0 means any; the port after the last one is none.
    let next = port.filter(|port| *port != 0).and_then(|port| port.checked_add(1));
    Ok((org, bind(next.unwrap_or(0)).await?))
}

fn address(listener: &TcpListener) -> Result<SocketAddr, SandboxError> {
    listener.local_addr().map_err(|source| SandboxError::Listen { port: 0, source })
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sandbox is gone, which is a reason to stop as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

#[cfg(test)]
mod tests;
