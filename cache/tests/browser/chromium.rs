//! A headless Chromium that is driven over a pair of pipes: its own protocol, one JSON message after the other, each ended
//! by a zero byte. No driver, no socket.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser with one page; killed when dropped.
pub struct Chromium {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    last_id: u64,
    /// What went wrong in pages: exceptions, refused resources.
    pub complaints: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Chromium {
    pub fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The protocol is spoken on the descriptors 3 and 4: the shell lays our pipes there.
        let mut command = Command::new("sh");
        command.args(["-c", "exec chromium \"$@\" 3<&0 4>&1 1>&2", "sh", "--headless=new", "--remote-debugging-pipe"]);
        command.args(["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]);
        command.args(["--disable-dev-shm-usage", "--hide-scrollbars"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let parts = BufReader::new(output).split(0).map_while(Result::ok);
            parts.filter_map(|part| serde_json::from_slice(&part).ok()).all(|message| sender.send(message).is_ok())
        });
        let (session, complaints) = (None, Vec::new());
        let mut browser = Self { child, input, messages, session, last_id: 0, complaints, _profile: profile };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Calls a method of the protocol.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.try_call(method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&mut self, method: &str, parameters: &Value) -> Result<Value, Value> {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let sent = self.input.write_all(format!("{message}\0").as_bytes());
        sent.expect("chromium is gone: is it installed (apt-get install chromium)?");
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = match self.messages.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => panic!("{method} is not answered"),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("chromium ended: is it installed (apt-get install chromium)?")
                }
            };
            if answer["id"] == self.last_id {
                let error = &answer["error"];
                return if error.is_null() { Ok(answer["result"].clone()) } else { Err(error.clone()) };
            }
            self.note(answer);
        }
    }

    fn note(&mut self, event: Value) {
        let method = event["method"].as_str().unwrap_or_default();
        let bad = method == "Runtime.exceptionThrown"
            || (method == "Log.entryAdded" && event["params"]["entry"]["level"] == "error");
        if bad {
            self.complaints.push(event);
        }
    }

    /// The value of an expression in the page. A page that goes while it is asked is asked again when the next is there.
    pub fn eval(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let until = Instant::now() + PATIENCE;
        let answer = loop {
            match self.try_call("Runtime.evaluate", &parameters) {
                Ok(answer) => break answer,
                Err(error) => {
                    let said = error["message"].as_str().unwrap_or_default();
                    let going = ["navigated or closed", "context"].iter().any(|word| said.contains(word));
                    assert!(going && Instant::now() < until, "{expression}: {error}");
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        };
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn wait(&mut self, expression: &str) {
        let until = Instant::now() + PATIENCE;
        // Between two documents there may be nothing to ask.
        while self.eval(&format!("(() => {{ try {{ return Boolean({expression}) }} catch {{ return false }} }})()"))
            != true
        {
            assert!(Instant::now() < until, "never true: {expression}; at {}", self.eval("location.href"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn open(&mut self, url: &str) {
        let answer = self.call("Page.navigate", &json!({"url": url}));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.wait(&format!("location.href === {} && document.readyState === 'complete'", json!(url)));
    }

    pub fn size(&mut self, width: u32, height: u32, mobile: bool) {
        let parameters = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.call("Emulation.setDeviceMetricsOverride", &parameters);
    }

    pub fn dark(&mut self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    pub fn scripts(&mut self, on: bool) {
        self.call("Emulation.setScriptExecutionDisabled", &json!({"value": !on}));
    }

    /// Presses a key, with Shift or without.
    pub fn press(&mut self, key: &str, shift: bool) {
        for kind in ["rawKeyDown", "keyUp"] {
            let parameters = json!({"type": kind, "key": key, "code": key, "modifiers": if shift { 8 } else { 0 }});
            self.call("Input.dispatchKeyEvent", &parameters);
        }
    }

    /// Clicks the middle of what a selector finds, as a mouse does.
    pub fn click(&mut self, selector: &str) {
        let middle = format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{block: 'center', behavior: 'instant'}}); \
             const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; }})()",
            json!(selector)
        );
        let middle = self.eval(&middle);
        for kind in ["mousePressed", "mouseReleased"] {
            let parameters = json!({"type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &parameters);
        }
    }

    /// A picture of the whole page, as PNG in base64.
    pub fn screenshot(&mut self) -> String {
        let parameters = json!({"format": "png", "captureBeyondViewport": true});
        self.call("Page.captureScreenshot", &parameters)["data"].as_str().unwrap().to_owned()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
