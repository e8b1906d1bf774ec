//! The product's server for the length of a measurement.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};

use super::{
    product::{Product, resident_mib},
    store::Database,
};
use crate::{client::Client, service::Service};

/// Of accounts that live as long as a measurement, on this machine only.
pub(super) const PASSWORD: &str = "Bench-2015-road";

/// The longest that a start may take before it counts as failed.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How often a starting server is asked.
const ASK_EVERY: Duration = Duration::from_millis(2);

/// A running server; dropping it stops it.
pub(super) struct Server {
    service: Service,
    address: SocketAddr,
    /// From the start of the process until it said that it is ready.
    pub(super) ready_s: f64,
}

impl Server {
    /// Starts the server; its log goes to a file.
    pub(super) fn start(
        product: &Product<'_>,
        database: &Database<'_>,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = product.with(database, &["serve", "--listen", &address.to_string()]);
        // A folder of its own: for PostgreSQL the product wants one named.
        // Its users are made for the measurement, and have no telephones.
        command.args(["--second-factor", "offered"]);
        command.arg("--files").arg(database.keys().with_extension("files"));
        command.stdout(Stdio::null()).stderr(File::create(log)?);
        let start = Instant::now();
        let service = Service::new(command.spawn()?);
        let mut server = Self { service, address, ready_s: 0.0 };
        while !server.is_ready() {
            if let Some(status) = server.service.ended()? {
                bail!("the server ended by itself ({status}): {}", log.display());
            }
            ensure!(start.elapsed() < START_LIMIT, "the server does not become ready");
            thread::sleep(ASK_EVERY);
        }
        server.ready_s = start.elapsed().as_secs_f64();
        Ok(server)
    }

    fn is_ready(&self) -> bool {
        Client::connect(self.address).and_then(|mut client| client.get("/readyz")).is_ok()
    }

    pub(super) fn connect(&self) -> anyhow::Result<Client> {
        Client::connect(self.address)
    }

    /// A connection on which this user is signed in.
    pub(super) fn sign_in(&self, name: &str, password: &str) -> anyhow::Result<Client> {
        let mut client = self.connect()?;
        client.sign_in(name, password)?;
        Ok(client)
    }

    /// The memory that it holds now.
    pub(super) fn resident_mib(&self) -> Option<f64> {
        resident_mib(self.service.id())
    }
}
