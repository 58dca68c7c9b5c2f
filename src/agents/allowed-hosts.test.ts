import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hostsOf, parseAllowedHosts } from "./allowed-hosts.ts";

describe("allowed hosts", () => {
  it("allows a named host on any port, and only that host", () => {
    const hosts = parseAllowedHosts(["example.com"]);
    assert.equal(hosts.allows("https://example.com/a"), true);
    assert.equal(hosts.allows("http://EXAMPLE.com:8080/"), true);
    assert.equal(hosts.allows("wss://example.com/socket"), true);
    assert.equal(hosts.allows("https://www.example.com/"), false);
    assert.equal(hosts.allows("https://example.com.evil.test/"), false);
    assert.equal(hosts.allows("https://evil.test/?example.com"), false);
    assert.equal(hosts.allows("https://example.com@evil.test/"), false);
  });

  it("allows only the port that is named, default ports included", () => {
    const hosts = parseAllowedHosts(["127.0.0.1:8080", "example.com:443"]);
    assert.equal(hosts.allows("http://127.0.0.1:8080/"), true);
    assert.equal(hosts.allows("http://127.0.0.1:8081/"), false);
    assert.equal(hosts.allows("https://example.com/"), true);
    assert.equal(hosts.allows("http://example.com/"), false);
  });

  it("allows subdomains by a star, but not the domain itself", () => {
    const hosts = parseAllowedHosts(["*.example.com"]);
    assert.equal(hosts.allows("https://a.b.example.com/"), true);
    assert.equal(hosts.allows("https://example.com/"), false);
    assert.equal(hosts.allows("https://notexample.com/"), false);
  });

  it("allows every host by a lone star, but never local files", () => {
    const hosts = parseAllowedHosts(["*"]);
    assert.equal(hosts.allows("https://anything.test/"), true);
    assert.equal(hosts.allows("file:///etc/passwd"), false);
    assert.equal(hosts.allows("chrome://version"), false);
  });

  it("allows addresses that go nowhere", () => {
    const hosts = parseAllowedHosts([]);
    for (const url of ["about:blank", "data:text/html,x", "blob:https://a.test/1"])
      assert.equal(hosts.allows(url), true);
  });

  it("compares international names in the form that goes over the wire", () => {
    const hosts = parseAllowedHosts(["bücher.example"]);
    assert.deepEqual(hosts.patterns, ["xn--bcher-kva.example"]);
    assert.equal(hosts.allows("https://bücher.example/"), true);
  });

  it("refuses what is no host, and so keeps rules from being smuggled into the browser", () => {
    for (const pattern of ["", "https://example.com", "a b", "a,b", "a;<-loopback>", "a/b", "**.a"]) {
      const message = `Allowed host ${JSON.stringify(pattern)} is not a host`;
      assert.throws(() => parseAllowedHosts([pattern]), { code: "AGENT_INVALID", message });
    }
  });

  it("takes a starting page's host for its port alone, and the usual ports for one site", () => {
    const hostsAt = (url: string): readonly string[] => hostsOf(new URL(url));
    assert.deepEqual(hostsAt("http://127.0.0.1:8080/form"), ["127.0.0.1:8080"]);
    assert.deepEqual(hostsAt("https://example.com/form"), ["example.com:443", "example.com:80"]);
    const hosts = parseAllowedHosts(hostsAt("http://example.com/"));
    assert.equal(hosts.allows("https://example.com/"), true);
    assert.equal(hosts.allows("http://example.com:8080/"), false);
  });

  it("connects to listed hosts only, each at its port", () => {
    const hosts = parseAllowedHosts(["example.com:443", "[::1]:8080"]);
    assert.equal(hosts.reaches({ hostname: "example.com", port: 443 }), true);
    assert.equal(hosts.reaches({ hostname: "example.com", port: 22 }), false);
    assert.equal(hosts.reaches({ hostname: "[::1]", port: 8080 }), true);
  });
});
