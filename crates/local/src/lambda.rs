//! AWS Lambda for built functions: runs their binaries, serves them the Runtime API, and serves everybody else the part
//! of the Lambda API that Penstock uses.
//!
//! A binary cannot tell the difference from the service: it polls for invocations, gets deadline and invoked ARN, and is
//! killed when it takes too long. So the very artefacts that are deployed run on a laptop. It is not a sandbox: functions run
//! as ordinary processes of the user, and memory limits are announced, not enforced.
//!
//! One port serves both: `/runtime/<function>/<process>/2018-06-01/...` is the Runtime API of one process, everything under
//! `/2015-03-31/` the Lambda API.

mod aliases;
mod answer;
mod api;
pub mod binaries;
mod function;
pub mod functions;
mod invoke;
mod mapping_api;
mod process;
mod runtime_api;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hyper::service::service_fn;

use self::aliases::Aliases;
use self::function::Function;
pub use self::invoke::RuntimeInvoke;
use crate::error::StartError;
use crate::esm::Esm;
use crate::http;
use crate::invoke::InvokeError;
use crate::timer::Scheduled;

/// A function to run.
#[derive(Clone)]
pub struct FunctionSettings {
    /// Its name, as in the Lambda API.
    pub name: String,
    /// The program; see [`binaries::find`].
    pub binary: PathBuf,
    /// Its environment. Nothing of this process's own is passed on but `PATH` and `TMPDIR`.
    pub environment: BTreeMap<String, String>,
    /// Announced to it, MB.
    pub memory_mb: u32,
    /// An invocation that takes longer fails, and its process is killed.
    pub timeout: Duration,
    /// Processes, each running one invocation at a time. More of them run more jobs at once, and take memory.
    pub processes: usize,
}

/// The emulated service.
pub struct LambdaServer {
    /// Where it listens.
    pub address: SocketAddr,
    host: Arc<Host>,
    server: http::Server,
}

/// Functions by name, and what the Lambda API steers.
pub(crate) struct Host {
    address: SocketAddr,
    region: String,
    functions: RwLock<BTreeMap<String, Arc<Function>>>,
    aliases: Aliases,
    mappings: OnceLock<Steered>,
}

/// What the Lambda API's event source mappings act on.
struct Steered {
    esm: Arc<Esm>,
    load_function: String,
}

/// The account of every ARN.
const ACCOUNT: &str = "000000000000";

impl LambdaServer {
    /// Listens on `address`, without functions yet. `region` is that of every ARN.
    ///
    /// # Errors
    /// [`StartError::Listen`] if the address is taken.
    pub async fn start(address: SocketAddr, region: &str) -> Result<Self, StartError> {
        let bound = http::bind("Lambda", address).await?;
        let address = bound.address;
        let host = Arc::new(Host {
            address,
            region: region.to_owned(),
            functions: RwLock::default(),
            aliases: Aliases::default(),
            mappings: OnceLock::new(),
        });
        let serving = Arc::clone(&host);
        let service = service_fn(move |request| {
            let host = Arc::clone(&serving);
            async move { Ok::<_, std::convert::Infallible>(api::answer(&host, request).await) }
        });
        Ok(Self { address, host, server: bound.serve(service) })
    }

    /// `http://host:port` for clients of the Lambda API.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts the processes of a function. They start again whenever they end; one that cannot start makes its
    /// invocations fail.
    pub fn run(&self, settings: FunctionSettings) {
        let function = Function::start(&self.host, settings);
        let mut functions = self.host.functions.write().unwrap_or_else(PoisonError::into_inner);
        functions.insert(function.settings.name.clone(), function);
    }

    /// Lets the Lambda API steer `mappings`, which invoke `load_function`. Only the first call counts.
    pub async fn attach_mappings(&self, mappings: Arc<Esm>, load_function: &str) {
        for mapping in mappings.list().await {
            self.host.aliases.put(&invoke::alias_of(mapping.spec.job), "");
        }
        let _ = self.host.mappings.set(Steered { esm: mappings, load_function: load_function.to_owned() });
    }

    /// Invokes a function and waits for its answer.
    ///
    /// # Errors
    /// [`InvokeError`]
    pub async fn invoke(&self, function: &str, alias: Option<&str>, payload: Bytes) -> Result<Bytes, InvokeError> {
        self.host.invoke(function, alias, payload).await
    }

    /// An event source mapping's way to the load function of the name `function`.
    pub fn invoker(&self, function: &str) -> RuntimeInvoke {
        RuntimeInvoke::new(Arc::clone(&self.host), function)
    }

    /// A schedule's way to the function of the name `function`.
    pub fn schedule(&self, function: &str) -> RuntimeSchedule {
        RuntimeSchedule { host: Arc::clone(&self.host), function: function.to_owned() }
    }

    /// The gateway's way to the functions of these names.
    pub fn functions(&self, admin: &str, query: &str) -> functions::RuntimeFunctions {
        functions::RuntimeFunctions::new(Arc::clone(&self.host), admin, query)
    }

    /// Ends all processes, then the server.
    pub async fn shutdown(self, grace: Duration) {
        let functions = std::mem::take(&mut *self.host.functions.write().unwrap_or_else(PoisonError::into_inner));
        for function in functions.values() {
            function.stop();
        }
        self.server.shutdown(grace).await;
    }
}

/// Invokes a function with an event that says nothing.
pub struct RuntimeSchedule {
    host: Arc<Host>,
    function: String,
}

#[async_trait]
impl Scheduled for RuntimeSchedule {
    async fn run(&self) {
        if let Err(error) = self.host.invoke(&self.function, None, Bytes::from_static(b"{}")).await {
            tracing::error!(function = self.function, "the scheduled invocation failed: {error}");
        }
    }
}

impl Host {
    pub(crate) async fn invoke(
        &self,
        function: &str,
        alias: Option<&str>,
        payload: Bytes,
    ) -> Result<Bytes, InvokeError> {
        let Some(found) = self.function(function) else {
            return Err(InvokeError::Unanswered { message: format!("there is no function `{function}`") });
        };
        found.invoke(&self.arn(function, alias), payload).await
    }

    fn function(&self, name: &str) -> Option<Arc<Function>> {
        self.functions.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn arn(&self, function: &str, alias: Option<&str>) -> String {
        let arn = format!("arn:aws:lambda:{}:{ACCOUNT}:function:{function}", self.region);
        match alias {
            Some(alias) => format!("{arn}:{alias}"),
            None => arn,
        }
    }
}
