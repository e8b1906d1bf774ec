//! A client of HTTP/1.1 that keeps its connection and costs as little as possible.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::json;

/// The longest that an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The status of an answer without a body.
const NO_CONTENT: u16 = 204;

/// One connection to the server.
pub(crate) struct Client {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    cookie: Option<String>,
}

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { address, stream: BufReader::new(stream), cookie: None })
    }

    /// The session of the user who signed in here, as the header of a request.
    pub(crate) fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Another connection of the same user.
    pub(crate) fn another(&self) -> anyhow::Result<Self> {
        let cookie = self.cookie.clone();
        Ok(Self { cookie, ..Self::connect(self.address)? })
    }

    /// Signs in; from here on each request carries the cookie.
    pub(crate) fn sign_in(&mut self, name: &str, password: &str) -> anyhow::Result<()> {
        let body = json!({ "name": name, "password": password }).to_string();
        let answer = self.send("POST", "/api/v1/session", &body)?;
        ensure!(answer.status == 200, "{name} cannot sign in: status {}", answer.status);
        Ok(())
    }

    /// The body of an answer with status 200; any other is an error.
    pub(crate) fn get(&mut self, path: &str) -> anyhow::Result<Vec<u8>> {
        let answer = self.send("GET", path, "")?;
        ensure!(answer.status == 200, "GET {path}: status {}", answer.status);
        Ok(answer.body)
    }

    /// Sends one request and reads its answer; a cookie that comes with it is kept.
    pub(crate) fn send(&mut self, method: &str, path: &str, json: &str) -> anyhow::Result<Answer> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        if let Some(cookie) = &self.cookie {
            request.push_str(&format!("cookie: {cookie}\r\n"));
        }
        if !json.is_empty() {
            request.push_str("content-type: application/json\r\n");
        }
        request.push_str(&format!("content-length: {}\r\n\r\n{json}", json.len()));
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.read().with_context(|| format!("{method} {path}"))
    }

    fn read(&mut self) -> anyhow::Result<Answer> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("no status in {line:?}"))?;
        let mut length = None;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok();
            }
            if name.eq_ignore_ascii_case("set-cookie") {
                self.cookie = value.split(';').next().map(|cookie| cookie.trim().to_owned());
            }
        }
        let length = if status == NO_CONTENT { Some(0) } else { length };
        let mut body = vec![0; length.context("an answer without content-length")?];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, body })
    }
}

/// Text as a value in a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn text_is_encoded_for_a_query() {
        assert_eq!(encoded("a1 周&"), "a1%20%E5%91%A8%26");
    }

    #[test]
    fn one_connection_carries_several_requests() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = Client::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let ok = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\nhi";
        stream.write_all(format!("{ok}HTTP/1.1 204 No Content\r\n\r\n{ok}").as_bytes()).unwrap();
        assert_eq!(client.get("/one").unwrap(), b"hi");
        assert_eq!(client.send("PUT", "/two", "{}").unwrap().status, 204);
        assert_eq!(client.get("/three").unwrap(), b"hi");
        drop(client);
        let mut sent = String::new();
        stream.read_to_string(&mut sent).unwrap();
        assert!(sent.contains("PUT /two HTTP/1.1\r\n") && sent.contains("\r\n\r\n{}GET /three "));
        assert_eq!(sent.matches("cookie: a=b").count(), 2);
    }
}
