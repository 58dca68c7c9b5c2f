import assert from "node:assert/strict";
import { test } from "node:test";
import { plainAddress, userOfEnd } from "./tcp-table.ts";

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 2 1 0 20 4 30 10 -1
   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
   3: 0200007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 4 1 0 20 4 30 10 -1
   4: 0000000000000000FFFF00000100007F:9C41 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000  1002        0 5 1 0
  10: 00000000000000000000000001000000:9C42 00000000000000000000000001000000:1F90 01 00000000:00000000 00:00000000 00000000  1003        0 6 1 0
`;
const server = { address: "127.0.0.1", port: 8080 };

test("an end's user is the one of its process, whatever the family of the address", () => {
  assert.equal(userOfEnd(table, { address: "127.0.0.1", port: 40_000 }, server), 1000);
  assert.equal(userOfEnd(table, server, { address: "127.0.0.1", port: 40_000 }), 0);
  assert.equal(userOfEnd(table, { address: "127.0.0.2", port: 40_000 }, server), 1001);
  assert.equal(userOfEnd(table, { address: "127.0.0.1", port: 40_001 }, server), 1002);
  assert.equal(userOfEnd(table, { address: "::1", port: 40_002 }, { address: "::1", port: 8080 }), 1003);
});

test("a connection that is not there has no user", () => {
  assert.equal(userOfEnd(table, { address: "127.0.0.3", port: 40_000 }, server), undefined);
  assert.equal(
    userOfEnd(table, { address: "127.0.0.1", port: 40_000 }, { ...server, address: "127.0.0.9" }),
    undefined,
  );
  assert.equal(userOfEnd("", server, server), undefined);
});

test("an address of the older family is itself in the newer one", () => {
  assert.equal(plainAddress("::ffff:127.0.0.1"), "127.0.0.1");
  assert.equal(plainAddress("::1"), "::1");
});
