import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createHostGuard, isPublicAddress } from "./host-guard.ts";

describe("addresses of the public internet", () => {
  it("are these", () => {
    for (const address of ["8.8.8.8", "1.1.1.1", "172.32.0.1", "::ffff:8.8.8.8", "2001:4860:4860::8888", "2a00::1"])
      assert.ok(isPublicAddress(address), address);
  });

  it("are not these, however they are written", () => {
    for (const address of [
      ...["127.0.0.1", "127.255.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"],
      ...["100.100.100.200", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
      ...["::1", "::", "::127.0.0.1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:0:127.0.0.1"],
      ...["fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "100::1", "4000::1"],
      ...["64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1"],
      ...["", "localhost", "127.0.0.1.evil.test"],
    ])
      assert.ok(!isPublicAddress(address), address);
  });
});

describe("a guard of hosts", () => {
  const names: Readonly<Record<string, string>> = {
    "public.test": "8.8.8.8",
    "inside.test": "10.0.0.7",
    "own.test": "10.0.0.8",
  };
  const guard = createHostGuard<{ readonly all: boolean }>(
    (hostname) => hostname === "own.test" || hostname === "127.0.0.1",
    (hostname, { all }, callback) => {
      const addresses = [
        { address: "8.8.4.4", family: 4 },
        { address: names[hostname] ?? "", family: 4 },
      ];
      callback(null, all ? addresses : (addresses[1]?.address ?? ""), 4);
    },
  );
  const lookUp = (hostname: string, all: boolean): Promise<unknown> =>
    new Promise((resolve, reject) => {
      guard.lookup(hostname, { all }, (error, found) => (error === null ? resolve(found) : reject(error)));
    });

  it("lets public hosts pass, and those that are named", async () => {
    for (const all of [true, false]) {
      assert.ok(await lookUp("public.test", all));
      assert.ok(await lookUp("own.test", all));
    }
    for (const host of ["8.8.8.8", "[2a00::1]", "127.0.0.1", "inside.test"]) guard.require(host);
  });

  it("stops at a name with an address that is not public, and at such an address", async () => {
    const message = "inside.test (10.0.0.7) is not an address of the public internet";
    for (const all of [true, false])
      await assert.rejects(lookUp("inside.test", all), { code: "HOST_BLOCKED", message });
    for (const host of ["10.0.0.7", "[::1]", "[::ffff:7f00:1]"])
      assert.throws(() => guard.require(host), {
        code: "HOST_BLOCKED",
        message: `${host} is not an address of the public internet`,
      });
  });
});
