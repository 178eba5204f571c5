use std::format;

use super::*;

const SERVER: &str = "10.0.0.180:69";
const TRANSFER: &str = "10.0.0.180:4711";

struct Bench(Fetch);

impl Bench {
    fn new(options: FetchOptions) -> Self {
        Self(Fetch::new(Duration::ZERO, SERVER.parse().unwrap(), "file", options))
    }

    fn from(&mut self, millis: u64, from: &str, datagram: &[u8]) -> Vec<String> {
        let from = from.parse().unwrap();
        self.0.handle(Duration::from_millis(millis), FetchInput::Datagram { from, datagram });
        self.said()
    }

    fn timeout(&mut self, millis: u64) -> Vec<String> {
        self.0.handle(Duration::from_millis(millis), FetchInput::Timeout);
        self.said()
    }

    fn said(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(output) = self.0.poll_output() {
            said.push(match output {
                FetchOutput::Send { to, datagram } => format!("{}: {}", to.port(), datagram.escape_ascii()),
                FetchOutput::Done(Ok(file)) => format!("done {}", file.len()),
                FetchOutput::Done(Err(error)) => error.to_string(),
            });
        }
        said
    }

    fn next_timeout(&self) -> u64 {
        self.0.poll_timeout().map_or(0, |time| time.as_millis() as u64)
    }
}

fn data(block: u16, length: usize) -> Vec<u8> {
    Packet::Data { block, data: &vec![b'x'; length] }.to_bytes()
}

#[test]
fn a_file_comes_in_and_the_last_block_is_acknowledged_again() {
    let mut bench = Bench::new(FetchOptions::default());
    assert_eq!(bench.said(), ["69: \\x00\\x01file\\x00octet\\x00"]);
    assert_eq!(bench.from(10, TRANSFER, &data(1, 512)), ["4711: \\x00\\x04\\x00\\x01"]);
    assert_eq!(bench.from(20, TRANSFER, &data(2, 88)), ["4711: \\x00\\x04\\x00\\x02", "done 600"]);
    assert_eq!(bench.next_timeout(), 3020);
    assert_eq!(
        bench.from(1020, TRANSFER, &data(2, 88)),
        ["4711: \\x00\\x04\\x00\\x02"],
        "our answer got lost"
    );
    assert_eq!(bench.from(1030, TRANSFER, &data(1, 512)), [""; 0]);
    assert_eq!(bench.timeout(3020), [""; 0]);
    assert_eq!(bench.0.poll_timeout(), None);
    assert_eq!(bench.from(4000, TRANSFER, &data(2, 88)), [""; 0]);
}

#[test]
fn silence_is_answered_by_repeating_then_by_an_error() {
    let mut bench = Bench::new(FetchOptions::default());
    let request = bench.said();
    for at in [2000, 6000, 14_000, 22_000] {
        assert_eq!(bench.next_timeout(), at);
        assert_eq!(bench.timeout(at - 1), [""; 0]);
        assert_eq!(bench.timeout(at), request);
    }
    assert_eq!(bench.timeout(30_000), ["the tftp server does not answer"]);
    assert_eq!(bench.0.poll_timeout(), None);

    let mut bench = Bench::new(FetchOptions::default());
    bench.said();
    let ack = bench.from(10, TRANSFER, &data(1, 512));
    assert_eq!(bench.next_timeout(), 2010);
    assert_eq!(bench.timeout(2010), ack);
    assert_eq!(bench.from(2500, TRANSFER, &data(1, 512)), ack, "a repeated block is acknowledged again");
}

#[test]
fn errors_of_the_server_end_it() {
    let mut bench = Bench::new(FetchOptions::default());
    bench.said();
    assert_eq!(bench.from(1, SERVER, b"\0\x05\0\x01File not found\0"), ["the tftp server has no such file"]);
    assert_eq!(bench.0.poll_timeout(), None);
    let mut bench = Bench::new(FetchOptions::default());
    bench.said();
    bench.from(1, TRANSFER, &data(1, 512));
    assert_eq!(bench.from(1, TRANSFER, b"\0\x05\0\x02no\0"), ["the tftp server refused: no (code 2)"]);
}

#[test]
fn only_the_servers_packets_count() {
    let mut bench = Bench::new(FetchOptions::default());
    bench.said();
    let unknown = |port| [format!("{port}: \\x00\\x05\\x00\\x05Unknown transfer ID\\x00")];
    assert_eq!(bench.from(1, "10.9.9.9:69", &data(1, 5)), unknown(69), "another host");
    assert_eq!(bench.from(2, TRANSFER, &data(1, 512)).len(), 1);
    assert_eq!(bench.from(3, "10.0.0.180:4712", &data(2, 5)), unknown(4712), "another port of the server");
    assert_eq!(bench.from(4, "10.0.0.180:4712", b"\0\x05\0\0x\0"), [""; 0], "an error of a stranger");
    assert_eq!(bench.from(5, TRANSFER, &data(4, 512)), [""; 0], "a block of the future");
    assert_eq!(bench.from(6, TRANSFER, b"\0"), [""; 0]);
    assert_eq!(bench.from(7, TRANSFER, &data(2, 0)), ["4711: \\x00\\x04\\x00\\x02", "done 512"]);
}

#[test]
fn options_are_agreed_on() {
    let options = FetchOptions { block_size: Some(1400), limit: 5000 };
    let mut bench = Bench::new(options);
    assert_eq!(bench.said(), ["69: \\x00\\x01file\\x00octet\\x00blksize\\x001400\\x00tsize\\x000\\x00"]);
    let oack = b"\0\x06blksize\x001024\0tsize\x001500\0";
    assert_eq!(bench.from(1, TRANSFER, oack), ["4711: \\x00\\x04\\x00\\x00"]);
    assert_eq!(bench.from(2, TRANSFER, oack), ["4711: \\x00\\x04\\x00\\x00"], "the acknowledgement got lost");
    assert_eq!(bench.from(3, TRANSFER, &data(1, 1024)), ["4711: \\x00\\x04\\x00\\x01"]);
    assert_eq!(bench.from(4, TRANSFER, &data(2, 476)).last().unwrap(), "done 1500");

    // A server that knows no options answers with data in the usual blocks.
    let mut bench = Bench::new(options);
    bench.said();
    assert_eq!(bench.from(1, TRANSFER, &data(1, 512)), ["4711: \\x00\\x04\\x00\\x01"]);
    assert_eq!(bench.from(2, TRANSFER, &data(2, 1)).last().unwrap(), "done 513");
}

#[test]
fn what_nobody_agreed_on_is_refused() {
    let refused = |options: FetchOptions, datagram: &[u8]| {
        let mut bench = Bench::new(options);
        bench.said();
        bench.from(1, TRANSFER, datagram).concat()
    };
    let plain = FetchOptions { limit: 600, ..FetchOptions::default() };
    let asking = FetchOptions { block_size: Some(1024), ..plain };
    assert!(refused(plain, b"\0\x06blksize\x001024\0").ends_with("the tftp server breaks the protocol"));
    assert!(refused(asking, b"\0\x06blksize\x001025\0").ends_with("the tftp server breaks the protocol"));
    assert!(refused(asking, b"\0\x06tsize\x00601\0").ends_with("the file is longer than 600 bytes"));
    assert!(refused(plain, &data(1, 513)).ends_with("the tftp server breaks the protocol"));
    let mut bench = Bench::new(plain);
    bench.said();
    bench.from(1, TRANSFER, &data(1, 512));
    assert!(bench.from(2, TRANSFER, &data(2, 89)).concat().ends_with("the file is longer than 600 bytes"));
    assert_eq!(bench.0.poll_timeout(), None);
}
