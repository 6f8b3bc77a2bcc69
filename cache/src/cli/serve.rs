//! `lazycache serve`: what it may be told, and what follows from it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::builder::BoolishValueParser;
use frame::MirrorRoot;

use super::{CommandError, size::Size, terminated};
use crate::{
    Copies, HttpOptions, Lazycache, Resources, Settings,
    error::chain,
    image_store::{ImageStore, ImageStoreKind, ImageStoreSettings},
    origin::{BucketRoot, Credentials},
    server::{self, Served},
    tier::DiskSettings,
};

const DEFAULT_ROOT: &str = "https://rawdata.oceanobservatories.org/files/";
/// How much is kept on disk where only the folder is said.
const DEFAULT_DISK: Size = Size(8 << 30);

/// Where something is kept on disk is said by a folder, how much by a size; `--disk` takes either.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Disk {
    Bytes(Size),
    Folder(PathBuf),
}

impl std::str::FromStr for Disk {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') { Ok(Self::Folder(text.into())) } else { text.parse().map(Self::Bytes) }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct ServeArguments {
    /// Archives: http(s) addresses, or buckets (`s3://bucket/prefix`, keys and endpoint from the AWS_* variables).
    #[arg(env = "LAZYCACHE_MIRRORS", value_delimiter = ',', value_name = "URL")]
    roots: Vec<String>,
    /// A configuration file; without it lazycache.{toml,yaml,json} in /etc/lazycache or the working folder.
    #[arg(long, env = "LAZYCACHE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// A folder of movies, served under /v1/NAME/.
    #[arg(long, env = "LAZYCACHE_FOLDER", value_name = "NAME=DIR", value_delimiter = ',')]
    folder: Vec<String>,
    /// The port; 0 = any that is free.
    #[arg(long, env = "LAZYCACHE_PORT", default_value_t = 8080)]
    port: u16,
    /// The address to listen on.
    #[arg(long, env = "LAZYCACHE_BIND", default_value = "0.0.0.0")]
    bind: std::net::IpAddr,
    /// Answer .rgba and .raw.
    #[arg(long, env = "LAZYCACHE_ALLOW_RAW_OUTPUT", value_parser = BoolishValueParser::new())]
    allow_raw_output: bool,
    /// Mark answers as a public instance's (X-lazycache-public).
    #[arg(long, env = "LAZYCACHE_PUBLIC", value_parser = BoolishValueParser::new())]
    public: bool,
    /// After SIGTERM, requests under way may take so long to end.
    #[arg(long, env = "LAZYCACHE_DRAIN_SECONDS", default_value_t = 20, value_name = "SECONDS")]
    drain_seconds: u64,
    #[command(flatten)]
    keeping: KeepingArguments,
    #[command(flatten)]
    load: LoadArguments,
    #[command(flatten)]
    origin: OriginArguments,
    #[command(flatten)]
    images: ImageArguments,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is kept")]
struct KeepingArguments {
    /// Memory for frames and answers; indexes have their own.
    #[arg(long, env = "LAZYCACHE_MEMORY", default_value = "256MiB", value_name = "SIZE")]
    memory: Size,
    /// Disk for indexes, frames and answers: how much, or in which folder (then 8 GiB). It is warm after a restart.
    #[arg(long, env = "LAZYCACHE_DISK", value_name = "SIZE|FOLDER")]
    disk: Option<Disk>,
    /// The folder on disk.
    #[arg(long, env = "LAZYCACHE_DISK_FOLDER", value_name = "FOLDER")]
    disk_folder: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Load")]
struct LoadArguments {
    /// Requests to one archive at once.
    #[arg(long, env = "LAZYCACHE_MAX_CONCURRENT_REQUESTS", default_value_t = 8, value_name = "COUNT")]
    max_concurrent_requests: usize,
    /// Frames decoded at once; without it, one per core.
    #[arg(long, env = "LAZYCACHE_DECODES", value_name = "COUNT")]
    decodes: Option<usize>,
    /// Memory for answers under way, until they are sent.
    #[arg(long, env = "LAZYCACHE_BYTES_IN_FLIGHT", default_value = "256MiB", value_name = "SIZE")]
    bytes_in_flight: Size,
    /// The most bytes one answer of several frames may have.
    #[arg(long, env = "LAZYCACHE_MAX_ANSWER_BYTES", default_value_t = server::MAX_ANSWER, value_name = "BYTES")]
    max_answer_bytes: u64,
    /// Requests that may wait at each of these bounds; what comes beyond is answered 503 at once.
    #[arg(long, env = "LAZYCACHE_MAX_WAITING", default_value_t = 256, value_name = "COUNT")]
    max_waiting: usize,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Archives")]
struct OriginArguments {
    /// A folder of local copies of movies, preferred over the archives.
    #[arg(long, env = "LAZYCACHE_FILE_OVERLAY", value_name = "FOLDER")]
    file_overlay: Option<PathBuf>,
    /// Local copies stand directly in that folder, whatever folders their movies stand in.
    #[arg(long, env = "LAZYCACHE_FILE_OVERLAY_FLATTEN", value_parser = BoolishValueParser::new())]
    file_overlay_flatten: bool,
    /// Archives with public names may be at private addresses.
    #[arg(long, env = "LAZYCACHE_ALLOW_PRIVATE_ORIGINS", value_parser = BoolishValueParser::new())]
    allow_private_origins: bool,
    /// How long a connection may take.
    #[arg(long, env = "LAZYCACHE_CONNECT_TIMEOUT", default_value_t = 5.0, value_name = "SECONDS")]
    connect_timeout: f64,
    /// How long an answer's beginning may take.
    #[arg(long, env = "LAZYCACHE_FIRST_BYTE_TIMEOUT", default_value_t = 10.0, value_name = "SECONDS")]
    first_byte_timeout: f64,
    /// How long an answer may pause.
    #[arg(long, env = "LAZYCACHE_STALL_TIMEOUT", default_value_t = 10.0, value_name = "SECONDS")]
    stall_timeout: f64,
    /// How long one read may take, with all tries.
    #[arg(long, env = "LAZYCACHE_TIMEOUT", default_value_t = 60.0, value_name = "SECONDS")]
    timeout: f64,
    /// A bearer token for the archives.
    #[arg(long, env = "LAZYCACHE_AUTH_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    auth_token: Option<String>,
    /// A user name for the archives.
    #[arg(long, env = "LAZYCACHE_AUTH_USERNAME", hide_env_values = true, value_name = "NAME")]
    auth_username: Option<String>,
    /// The user's password.
    #[arg(long, env = "LAZYCACHE_AUTH_PASSWORD", hide_env_values = true, value_name = "PASSWORD")]
    auth_password: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Image store")]
#[allow(clippy::struct_field_names)] // they are the flags' names, which old deployments know
struct ImageArguments {
    /// Where encoded frames are stored for good, beside what is kept.
    #[arg(long, env = "LAZYCACHE_IMAGE_STORE", default_value = "none", value_enum, value_name = "KIND")]
    image_store: ImageStoreKind,
    /// The bucket of an s3 store (keys, region and endpoint from the AWS_* variables).
    #[arg(long, env = "LAZYCACHE_IMAGE_STORE_BUCKET", value_name = "BUCKET")]
    image_store_bucket: Option<String>,
    /// The folder of a local store; the prefix in a bucket.
    #[arg(long, env = "LAZYCACHE_IMAGE_STORE_ROOT", value_name = "ROOT")]
    image_store_root: Option<String>,
    /// Where clients find the store: who asks for a frame that is there is sent to it (307).
    #[arg(long, env = "LAZYCACHE_IMAGE_STORE_URL", value_name = "URL")]
    image_store_url: Option<String>,
}

impl KeepingArguments {
    fn disk(&self) -> Result<Option<DiskSettings>, CommandError> {
        let (bytes, folder) = match &self.disk {
            Some(Disk::Bytes(Size(0))) => return Ok(None),
            Some(Disk::Bytes(size)) => (*size, None),
            Some(Disk::Folder(folder)) => (DEFAULT_DISK, Some(folder)),
            None => (DEFAULT_DISK, None),
        };
        match (self.disk_folder.as_ref().or(folder), &self.disk) {
            (Some(folder), _) => Ok(Some(DiskSettings { folder: folder.clone(), bytes: bytes.0 })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(CommandError::Usage("--disk is a size: --disk-folder must say where".to_owned())),
        }
    }
}

impl OriginArguments {
    fn options(&self, load: &LoadArguments) -> Result<HttpOptions, CommandError> {
        let seconds = |name, value: f64| {
            let long = Duration::try_from_secs_f64(value).ok().filter(|time| !time.is_zero());
            long.ok_or_else(|| CommandError::Usage(format!("--{name} must be more than 0 seconds")))
        };
        Ok(HttpOptions {
            connect: seconds("connect-timeout", self.connect_timeout)?,
            first_byte: seconds("first-byte-timeout", self.first_byte_timeout)?,
            stall: seconds("stall-timeout", self.stall_timeout)?,
            whole: seconds("timeout", self.timeout)?,
            at_once: load.max_concurrent_requests,
            waiting: load.max_waiting,
            allow_private: self.allow_private_origins,
            credentials: self.credentials(),
        })
    }

    /// A token stands above a password; what is empty is not there, as optional variables of a pod may be.
    fn credentials(&self) -> Option<Credentials> {
        let given = |value: Option<&String>| value.filter(|value| !value.is_empty()).cloned();
        if let Some(token) = given(self.auth_token.as_ref()) {
            return Some(Credentials::Token(token));
        }
        let user = given(self.auth_username.as_ref())?;
        Some(Credentials::Password { user, password: self.auth_password.clone().unwrap_or_default() })
    }

    fn copies(&self) -> Option<Copies> {
        let folder = self.file_overlay.clone()?;
        Some(Copies { folder, flat: self.file_overlay_flatten })
    }
}

impl ServeArguments {
    fn settings(&self) -> Result<Settings, CommandError> {
        let default = Settings::default();
        Ok(Settings {
            memory: self.keeping.memory.0,
            disk: self.keeping.disk()?,
            decodes: self.load.decodes.unwrap_or(default.decodes),
            bytes_in_flight: self.load.bytes_in_flight.0,
            waiting: self.load.max_waiting,
        })
    }

    fn served(&self) -> Result<Served, CommandError> {
        let resources = Resources::new(self.settings()?);
        let options = self.origin.options(&self.load)?;
        let copies = self.origin.copies();
        let open = |root: &str| Lazycache::open_with(root, options.clone(), copies.as_ref(), resources.clone());
        let mut served = Served::sharing(resources.clone())
            .allow_raw_output(self.allow_raw_output)
            .public(self.public)
            .max_answer(self.load.max_answer_bytes);
        let nothing_given = self.roots.is_empty() && self.folder.is_empty();
        let default = [DEFAULT_ROOT.to_owned()];
        for root in if nothing_given { &default[..] } else { &self.roots } {
            served = if let Some(bucket) = BucketRoot::parse(root) {
                served.with_folder(&bucket.api_name(), open(root)?)
            } else {
                let root = MirrorRoot::parse(root).map_err(|error| CommandError::Usage(chain(&error)))?;
                served.with_mirror(&root, open(root.url().as_str())?)
            };
        }
        for folder in &self.folder {
            let usage = || CommandError::Usage(format!("--folder {folder:?} is not NAME=DIR"));
            let (name, root) = folder.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(usage)?;
            let cache = Lazycache::open_with(root, HttpOptions::default(), None, resources.clone())?;
            served = served.with_folder(name, cache);
        }
        let images = ImageStoreSettings {
            kind: self.images.image_store,
            bucket: self.images.image_store_bucket.clone(),
            root: self.images.image_store_root.clone(),
            url: self.images.image_store_url.clone(),
        };
        let store = ImageStore::open(&images).map_err(|error| CommandError::Usage(chain(&error)))?;
        Ok(served.with_image_store(store))
    }

    /// Serves until Ctrl-C or SIGTERM.
    pub(super) async fn run(&self) -> Result<(), CommandError> {
        let served = self.served()?;
        let tiers = served.resources().tiers().clone();
        let address = SocketAddr::new(self.bind, self.port);
        let io = |source| CommandError::Io { what: format!("listen on {address}"), source };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(io)?;
        tracing::info!(address = %listener.local_addr().map_err(io)?, mirrors = self.roots.len(), "listening");
        let drain = Duration::from_secs(self.drain_seconds);
        server::run(listener, served, terminated(), drain).await.map_err(io)?;
        // What waits to be written is worth a moment.
        if tokio::time::timeout(Duration::from_secs(5), tiers.flush()).await.is_err() {
            tracing::warn!("ended before everything was written to disk");
        }
        Ok(())
    }
}
