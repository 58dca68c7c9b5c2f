import assert from "node:assert/strict";
import { test } from "node:test";
import { RowcallError, errorKind, errorTable, isErrorCode, messageOf } from "./errors.ts";

test("an error carries code, message, hint, cause and details", () => {
  const cause = new Error("ENOENT");
  const error = new RowcallError("STORE_NOT_FOUND", "There is no a.csv", {
    hint: "Check the path.",
    cause,
    details: { path: "a.csv" },
  });
  assert.ok(error instanceof Error);
  const { name, code, message, hint, details } = error;
  assert.deepEqual(
    { name, code, message, hint, details },
    {
      name: "RowcallError",
      code: "STORE_NOT_FOUND",
      message: "There is no a.csv",
      hint: "Check the path.",
      details: { path: "a.csv" },
    },
  );
  assert.equal(error.cause, cause);
});

test("an error without options has no hint, no cause and empty details", () => {
  const error = new RowcallError("UNEXPECTED", "odd");
  assert.equal(error.hint, undefined);
  assert.equal("cause" in error, false);
  assert.deepEqual(error.details, {});
});

test("with another hint an error stays what it is", () => {
  const cause = new Error("EIO");
  const error = new RowcallError("STORE_FAILED", "Cannot read a.csv", {
    cause,
    details: { uri: "a.csv" },
    retryable: false,
  });
  const { code, message, hint, details, retryable, cause: kept } = error.withHint("Look at the disk.");
  assert.deepEqual(
    { code, message, hint, details, retryable },
    {
      code: "STORE_FAILED",
      message: "Cannot read a.csv",
      hint: "Look at the disk.",
      details: { uri: "a.csv" },
      retryable: false,
    },
  );
  assert.equal(kept, cause);
});

test("the code decides on retries and on the exit code", () => {
  assert.equal(new RowcallError("HTTP_UNAVAILABLE", "503").retryable, true);
  assert.equal(new RowcallError("HTTP_STATUS", "404").retryable, false);
  assert.equal(new RowcallError("BATCH_INVALID", "x").exitCode, 2);
  assert.equal(new RowcallError("INTERRUPTED", "x").exitCode, 130);
});

test("every code in the table has a kind and is known as a code", () => {
  for (const code of Object.keys(errorTable)) {
    assert.ok(isErrorCode(code), code);
    assert.ok(errorKind(code).httpStatus >= 200, code);
  }
  for (const other of ["NO_SUCH_CODE", "toString", "constructor", ""]) assert.equal(isErrorCode(other), false, other);
});

test("what a row does wrong itself is never retried", () => {
  for (const code of ["ROW_RAGGED", "ROW_VALUE_MISSING", "ROW_INVALID", "TEMPLATE_RENDER"] as const) {
    assert.equal(errorKind(code).retryable, false, code);
  }
});

test("gives the text of anything thrown", () => {
  assert.equal(messageOf(new Error("broken")), "broken");
  assert.equal(messageOf("plain"), "plain");
  assert.equal(messageOf(undefined), "undefined");
  assert.equal(messageOf({ message: "from another realm" }), "from another realm");
  assert.equal(messageOf({ code: 7 }), '{"code":7}');
  assert.equal(messageOf(Object.create(null)), "{}");
  const circular: { self?: unknown } = {};
  circular.self = circular;
  assert.equal(messageOf(circular), "An object that cannot be shown");
});
