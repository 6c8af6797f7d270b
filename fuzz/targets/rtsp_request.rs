//! Bytes of an RTSP client, in pieces: requests, transports, URLs, credentials. Memory stays bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_proto::rtsp::{Credentials, Input, Machine, Parser, Target, choose, transport};

fuzz_target!(|data: &[u8]| {
    let Some((&cut, data)) = data.split_first() else { return };
    let mut parser = Parser::default();
    'connection: for piece in data.chunks(usize::from(cut) + 1) {
        parser.push(piece);
        loop {
            match parser.next() {
                Ok(Some(Input::Request(request))) => {
                    if let Some(t) = request.header("Transport") {
                        let _ = choose(&transport::offers(t), true, true, &[0, 1]);
                    }
                    if let Some(a) = request.header("Authorization") {
                        let _ = Credentials::parse(a).map(|c| c.user().len());
                    }
                    let _ = Machine::screen(&request);
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(e) => {
                    assert!(!e.to_string().is_empty());
                    break 'connection;
                }
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Target::parse(text);
        let _ = transport::offers(text);
        let _ = Credentials::parse(text);
    }
});
