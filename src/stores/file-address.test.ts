import assert from "node:assert/strict";
import { test } from "node:test";
import { RowcallError } from "../core/errors.ts";
import { explain, explained } from "./file-address.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something, open 'a.csv'`), { code });
}

test("puts system errors into words, with the file and what to do", () => {
  const told = ["ENOENT", "EACCES", "EPERM", "EROFS", "EISDIR", "ENOSPC", "EMFILE"].map((code) =>
    explain("write", "out/a.csv", systemError(code)),
  );
  assert.deepEqual(
    told.map(({ code, message }) => [code, message]),
    [
      ["STORE_NOT_FOUND", "Cannot write out/a.csv: there is no such file"],
      ["STORE_DENIED", "Cannot write out/a.csv: access is denied"],
      ["STORE_DENIED", "Cannot write out/a.csv: the operation is not permitted"],
      ["STORE_DENIED", "Cannot write out/a.csv: the file system is read-only"],
      ["STORE_DENIED", "Cannot write out/a.csv: it is a folder"],
      ["STORE_FAILED", "Cannot write out/a.csv: the disk is full"],
      ["STORE_FAILED", "Cannot write out/a.csv: too many files are open"],
    ],
  );
  for (const { hint, cause, details } of told) {
    assert.ok(hint);
    assert.ok(cause instanceof Error);
    assert.equal(details["uri"], "out/a.csv");
  }
});

test("passes on the text of an error it has no words for", () => {
  const { code, message } = explain("read", "a.csv", systemError("EIO"));
  assert.deepEqual([code, message], ["STORE_FAILED", "Cannot read a.csv: EIO: something, open 'a.csv'"]);
});

test("leaves our own errors as they are", async () => {
  const own = new RowcallError("OUTPUT_EXISTS", "a.csv exists already");
  await assert.rejects(
    explained("write", "a.csv", () => Promise.reject(own)),
    (error) => error === own,
  );
});
