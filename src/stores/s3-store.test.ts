import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import type { ServerResponse } from "node:http";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { objectStoreContract } from "../../test/contracts/object-store-contract.ts";
import { awsAt, startTestS3, type TestS3 } from "../../test/fakes/s3.ts";
import type { ByteRange, ObjectStore } from "../core/object-store.ts";
import { openS3Store } from "./s3-store.ts";

const mebibyte = 1024 * 1024;

describe("s3: store", () => {
  let s3: TestS3;
  let buckets = 0;
  before(async () => {
    s3 = await startTestS3();
  });
  after(() => s3.close());

  objectStoreContract("s3 store", async () => {
    const bucket = `contract-${(buckets += 1)}`;
    await s3.createBucket(bucket);
    const store = openS3Store({ aws: s3.aws, clock: Date.now });
    return {
      store,
      prefix: `s3://${bucket}/some/folder`,
      leftovers: async () => [
        ...(await Array.fromAsync(store.list(`s3://${bucket}`))).map(({ uri }) => uri),
        ...s3.openUploads,
      ],
      close: async () => {},
    };
  });
});

describe("S3 as it is", () => {
  let s3: TestS3;
  let store: ObjectStore;
  before(async () => {
    s3 = await startTestS3();
  });
  beforeEach(() => {
    store = openS3Store({ aws: s3.aws, clock: () => 5500 });
    s3.requests.length = 0;
  });
  afterEach(() => {
    s3.intercept = () => false;
  });
  after(() => s3.close());

  const read = async (uri: string, range?: ByteRange): Promise<string> =>
    Buffer.concat(await Array.fromAsync(store.read(uri, range))).toString();

  /** Lets calls like `PUT /bucket/key` fail as S3 does. */
  const failing = (call: RegExp, status: number, code: string, times = Number.POSITIVE_INFINITY): void => {
    let left = times;
    s3.intercept = (request, response) => {
      if (!call.test(`${request.method} ${request.url}`) || left === 0) return false;
      left -= 1;
      request.resume();
      request.on("end", () => answer(response, status, request.method === "HEAD" ? undefined : code));
      return true;
    };
  };

  describe("keys", () => {
    it("stand for themselves, whatever characters they have", async () => {
      await s3.createBucket("keys");
      const name = fc
        .string({ unit: "binary", minLength: 1, maxLength: 20 })
        .filter((text) => /^[^\0\ud800-\udfff]*$/u.test(text) && !text.split("/").some((part) => /^\.+$/.test(part)));
      await fc.assert(
        fc.asyncProperty(name, async (key) => {
          const uri = `s3://keys/${key}`;
          assert.equal((await store.write(uri, Buffer.from(key))).uri, uri);
          assert.equal(await read(uri), key);
          await store.copy(uri, `${uri} copy`);
          assert.equal(await read(`${uri} copy`), key);
          await store.delete(uri);
          assert.equal(await store.stat(uri), undefined);
          await store.delete(`${uri} copy`);
        }),
        { numRuns: 20 },
      );
    });

    it("are listed over several pages, decoded where they come encoded", async () => {
      const names = ["a", "b", "c", "d", "e"].map((name) => `s3://bucket/pages/${name}`);
      for (const uri of names) await store.write(uri, Buffer.from("a"));
      let pages = 0;
      s3.intercept = (request) => {
        request.url += "&max-keys=2";
        pages += 1;
        return false;
      };
      assert.deepEqual(
        (await Array.fromAsync(store.list("s3://bucket/pages/"))).map(({ uri }) => uri),
        names,
      );
      assert.equal(pages, 3);
      s3.intercept = (_request, response) => {
        const contents =
          "<Contents><Key>a+b%2B%01%25</Key><Size>3</Size><LastModified>2025-01-01T00:00:00.500Z</LastModified></Contents>";
        answer(response, 200, `<ListBucketResult><EncodingType>url</EncodingType>${contents}</ListBucketResult>`);
        return true;
      };
      assert.deepEqual(await Array.fromAsync(store.list("s3://bucket/")), [
        { uri: "s3://bucket/a b+\u0001%", size: 3, modifiedAt: Date.parse("2025-01-01T00:00:00Z") },
      ]);
    });

    it("that are missing are not a bucket's fault", async () => {
      const told = { code: "STORE_DENIED", message: /s3:\/\/bucket\/: it is a bucket$/, hint: "Name an object in it." };
      await assert.rejects(read("s3://bucket"), told);
      await assert.rejects(store.write("s3://bucket/", Buffer.from("a")), told);
      await assert.rejects(store.delete("s3://bucket"), told);
      assert.equal(await store.stat("s3://bucket/"), undefined);
    });
  });

  describe("reading", () => {
    it("suggests the key that was probably meant", async () => {
      await store.write("s3://bucket/inputs/addresses.csv", Buffer.from("a"));
      const told = { code: "STORE_NOT_FOUND", hint: 'Did you mean "s3://bucket/inputs/addresses.csv"?' };
      await assert.rejects(read("s3://bucket/inputs/adresses.csv"), told);
      await assert.rejects(read("s3://bucket/inputs/adresses.csv", { start: 1, end: 1 }), told);
      await assert.rejects(store.copy("s3://bucket/inputs/adresses.csv", "s3://bucket/b"), told);
      await assert.rejects(read("s3://bucket/elsewhere/a.csv"), { hint: /aws s3 ls s3:\/\/bucket\/elsewhere\// });
      failing(/list-type/, 403, "AccessDenied");
      await assert.rejects(read("s3://bucket/inputs/adresses.csv"), { code: "STORE_NOT_FOUND", hint: /Check the key/ });
    });

    it("goes on from the last byte when the connection breaks", async () => {
      const content = "0123456789".repeat(1000);
      await store.write("s3://bucket/cut", Buffer.from(content));
      const { ranges } = cutting(s3, 4);
      assert.equal(await read("s3://bucket/cut"), content);
      assert.deepEqual(ranges, [
        [undefined, undefined],
        ["bytes=1000-", '"etag"'],
        ["bytes=2000-", '"etag"'],
        ["bytes=3000-", '"etag"'],
        ["bytes=4000-", '"etag"'],
      ]);
    });

    it("keeps to the end of a range when it goes on", async () => {
      await store.write("s3://bucket/cut", Buffer.from("0123456789".repeat(1000)));
      const { ranges } = cutting(s3, 1);
      assert.equal((await read("s3://bucket/cut", { start: 5, end: 5005 })).length, 5000);
      assert.deepEqual(
        ranges.map(([range]) => range),
        ["bytes=5-5004", "bytes=1005-5004"],
      );
    });

    it("gives up when no byte comes any more", async () => {
      await store.write("s3://bucket/cut", Buffer.from("0123456789".repeat(1000)));
      const { ranges } = cutting(s3, Number.POSITIVE_INFINITY, 0);
      await assert.rejects(read("s3://bucket/cut"), {
        code: "STORE_FAILED",
        message: /^Cannot read s3:\/\/bucket\/cut: /,
      });
      assert.equal(ranges.length, 4);
    });

    it("does not mix two objects when one is replaced meanwhile", async () => {
      await store.write("s3://bucket/cut", Buffer.from("0123456789".repeat(1000)));
      cutting(s3, 1, 1000, () => failing(/^GET/, 412, "PreconditionFailed"));
      await assert.rejects(read("s3://bucket/cut"), { code: "STORE_FAILED", message: /it was replaced while/ });
    });

    it("does not take damaged bytes, nor go on after them", async () => {
      for (const content of [Buffer.from("oops"), Buffer.alloc(mebibyte, "a")]) {
        const headers = { "content-length": content.length, etag: '"a"', "x-amz-checksum-crc32": "AAAAAA==" };
        s3.requests.length = 0;
        s3.intercept = (_request, response) => {
          response.writeHead(200, headers).end(content);
          return true;
        };
        const told = { code: "STORE_FAILED", message: /^Cannot read s3:\/\/bucket\/damaged: Checksum mismatch/ };
        await assert.rejects(read("s3://bucket/damaged"), told);
        assert.equal(s3.requests.length, 1);
      }
    });

    it("tries again when S3 asks to slow down", async () => {
      await store.write("s3://bucket/slow", Buffer.from("here"));
      failing(/^GET/, 503, "SlowDown", 1);
      assert.equal(await read("s3://bucket/slow"), "here");
    });
  });

  describe("a process of its own", () => {
    const script = fileURLToPath(new URL("../../test/fixtures/s3-round-trip.ts", import.meta.url));
    const roundTrip = async (mebibytes: number): Promise<number> => {
      const { stdout } = await promisify(execFile)(process.execPath, [script, s3.url, String(mebibytes)]);
      const { size, peak } = JSON.parse(stdout) as { readonly size: number; readonly peak: number };
      assert.equal(size, mebibytes * mebibyte);
      await store.delete(`s3://bucket/${mebibytes}`);
      return peak;
    };

    it("holds a few parts of a large object and ends by itself", async () => {
      const [small, large] = [await roundTrip(40), await roundTrip(200)];
      assert.ok(large < small + 100, `${large} MiB for 200 MiB, ${small} MiB for 40 MiB`);
    });
  });

  describe("errors", () => {
    it("say what is wrong and what to do", async () => {
      const uri = "s3://nobodys/rows.csv";
      const missing = {
        code: "STORE_NOT_FOUND",
        message: /s3:\/\/nobodys\/.*there is no bucket nobodys$/,
        hint: /aws s3 ls/,
      };
      await assert.rejects(read(uri), missing);
      await assert.rejects(store.write(uri, Buffer.from("a")), missing);
      await assert.rejects(store.write(uri, parts(9)), missing);
      await assert.rejects(Array.fromAsync(store.list("s3://nobodys/")), missing);
      assert.equal(await store.stat(uri), undefined);

      const denied = { code: "STORE_DENIED", message: /access is denied$/ };
      failing(/./, 403, "AccessDenied");
      await assert.rejects(read("s3://bucket/a"), { ...denied, hint: /s3:GetObject.*s3:ListBucket/ });
      await assert.rejects(store.stat("s3://bucket/a"), { ...denied, hint: /s3:GetObject/ });
      await assert.rejects(store.write("s3://bucket/a", Buffer.from("a")), { ...denied, hint: /s3:PutObject/ });
      await assert.rejects(store.delete("s3://bucket/a"), { ...denied, hint: /s3:DeleteObject/ });
      await assert.rejects(Array.fromAsync(store.list("s3://bucket/a")), { ...denied, hint: /s3:ListBucket/ });
    });

    it("tell why a look was refused, though the answer to it has no text", async () => {
      failing(/./, 400, "ExpiredToken");
      await assert.rejects(store.stat("s3://bucket/a"), { code: "STORE_DENIED", message: /credentials have expired$/ });
      failing(/^HEAD/, 403, "");
      assert.equal(await store.stat("s3://bucket/none"), undefined);
      await store.write("s3://bucket/there", Buffer.from("a"));
      await assert.rejects(store.stat("s3://bucket/there"), { code: "STORE_DENIED" });
    });

    it("tell of another region, unless S3 says which", async () => {
      await store.write("s3://bucket/moved", Buffer.from("here"));
      failing(/./, 301, "PermanentRedirect");
      await assert.rejects(read("s3://bucket/moved"), { code: "STORE_DENIED", hint: /--region/ });
      let redirects = 0;
      s3.intercept = (request, response) => {
        if (request.headers.authorization?.includes("/us-west-2/") === true) return false;
        redirects += 1;
        response.setHeader("x-amz-bucket-region", "us-west-2");
        answer(response, 301, "PermanentRedirect");
        return true;
      };
      assert.equal(await read("s3://bucket/moved"), "here");
      assert.equal(redirects, 1);
    });

    it("tell of an endpoint that cannot be reached", async () => {
      const nowhere = openS3Store({ aws: awsAt("http://127.0.0.1:1"), clock: Date.now });
      const told = { code: "STORE_FAILED", message: /s3:\/\/bucket\/a: the endpoint/, hint: /--endpoint-url/ };
      await assert.rejects(nowhere.stat("s3://bucket/a"), told);
    });
  });

  describe("writing", () => {
    it("sends a large object in parts, and a small one at once", async () => {
      await store.write("s3://bucket/large", parts(20), { contentType: "text/csv", ifAbsent: true });
      assert.equal(s3.requests.filter((line) => /partNumber=\d/.test(line)).length, 3);
      assert.equal((await store.stat("s3://bucket/large"))?.size, 20 * mebibyte);
      s3.requests.length = 0;
      await store.write("s3://bucket/large", Buffer.alloc(9 * mebibyte, "b"));
      assert.equal(s3.requests.filter((line) => /partNumber=\d/.test(line)).length, 2);
      assert.equal(await read("s3://bucket/large", { start: 9 * mebibyte - 2 }), "bb");
      s3.requests.length = 0;
      await store.write("s3://bucket/small", parts(8));
      assert.deepEqual(
        s3.requests.map((line) => line.split(" ")[0]),
        ["PUT", "HEAD"],
      );
    });

    it("keeps the type of what it holds, also in a copy", async () => {
      const types: (string | undefined)[] = [];
      const note = async (uri: string): Promise<void> => {
        const { headers } = await fetch(s3.url + uri.slice("s3:/".length));
        types.push(headers.get("content-type") ?? undefined);
      };
      await store.write("s3://bucket/typed", Buffer.from("a"), { contentType: "text/csv" });
      await note("s3://bucket/typed");
      await store.write("s3://bucket/typed-parts", parts(9), { contentType: "text/csv" });
      await note("s3://bucket/typed-parts");
      await store.copy("s3://bucket/typed", "s3://bucket/copy");
      await note("s3://bucket/copy");
      await store.copy("s3://bucket/typed", "s3://bucket/typed");
      await note("s3://bucket/typed");
      await store.copy("s3://bucket/typed", "s3://bucket/copy", { contentType: "text/plain" });
      await note("s3://bucket/copy");
      assert.deepEqual(types, ["text/csv", "text/csv", "text/csv", "text/csv", "text/plain"]);
    });

    it("takes a copy of more than S3 copies by itself through this machine", async () => {
      await store.write("s3://bucket/huge", Buffer.from("as if huge"), { contentType: "text/csv" });
      s3.intercept = (request, response) => {
        if (request.method !== "HEAD" || request.url?.startsWith("/bucket/huge") !== true) return false;
        response.writeHead(200, { "content-length": 6 * 1024 ** 3, "content-type": "text/csv" }).end();
        return true;
      };
      s3.requests.length = 0;
      await store.copy("s3://bucket/huge", "s3://bucket/tiny");
      assert.equal(await read("s3://bucket/tiny"), "as if huge");
      assert.deepEqual(
        s3.requests.slice(0, 3).map((line) => line.split("?")[0]),
        ["HEAD /bucket/huge", "GET /bucket/huge", "PUT /bucket/tiny"],
      );
    });

    it("gives parts up when the source fails late, or a part or the last call does", async () => {
      const failure = new Error("the source broke");
      await assert.rejects(store.write("s3://bucket/never", parts(20, failure)), (error) => error === failure);
      failing(/partNumber=2/, 403, "AccessDenied");
      await assert.rejects(store.write("s3://bucket/never", parts(40)), { code: "STORE_DENIED" });
      failing(/^POST .*uploadId=/, 400, "InvalidPart");
      await assert.rejects(store.write("s3://bucket/never", parts(9)), { code: "STORE_DENIED" });
      assert.ok(s3.requests.filter((line) => line.startsWith("DELETE")).length >= 3);
      assert.deepEqual([...s3.openUploads], []);
      assert.equal(await store.stat("s3://bucket/never"), undefined);
    });

    it("closes the source whatever happens", async () => {
      let closed = 0;
      async function* closing(): AsyncGenerator<Uint8Array> {
        try {
          yield* parts(40);
        } finally {
          closed += 1;
        }
      }
      failing(/partNumber=1/, 403, "AccessDenied");
      await assert.rejects(store.write("s3://bucket/closed", closing()), { code: "STORE_DENIED" });
      failing(/uploads/, 403, "AccessDenied");
      await assert.rejects(store.write("s3://bucket/closed", closing()), { code: "STORE_DENIED" });
      s3.intercept = () => false;
      await store.write("s3://bucket/closed", Buffer.from("a"));
      await assert.rejects(store.write("s3://bucket/closed", closing(), { ifAbsent: true }), { code: "OUTPUT_EXISTS" });
      assert.equal(closed, 3);
    });

    it("of many that send parts where nothing is, exactly one wins", async () => {
      const settled = await Promise.allSettled(
        Array.from({ length: 4 }, () => store.write("s3://bucket/parts-raced", parts(9), { ifAbsent: true })),
      );
      assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
      for (const result of settled)
        if (result.status === "rejected") assert.equal((result.reason as { code: string }).code, "OUTPUT_EXISTS");
      assert.deepEqual([...s3.openUploads], []);
    });

    it("knows its own write again when the answer to it was lost", async () => {
      for (const [uri, content] of [
        ["s3://bucket/lost", (): Uint8Array => Buffer.from("mine")],
        ["s3://bucket/lost-parts", (): AsyncIterable<Uint8Array> => parts(9)],
      ] as const) {
        let lost = 0;
        s3.intercept = (request, response) => {
          if (request.headers["if-none-match"] !== "*" || lost > 0) return false;
          lost += 1;
          response.writeHead = () => {
            response.destroy();
            return response;
          };
          return false;
        };
        const info = await store.write(uri, content(), { ifAbsent: true });
        assert.equal(lost, 1);
        assert.deepEqual(info, await store.stat(uri));
        await assert.rejects(store.write(uri, Buffer.from("another's"), { ifAbsent: true }), { code: "OUTPUT_EXISTS" });
      }
    });

    it("tries again when somebody deletes in the same moment", async () => {
      failing(/^PUT/, 409, "ConditionalRequestConflict", 1);
      await store.write("s3://bucket/conflict", Buffer.from("a"), { ifAbsent: true });
      assert.equal(await read("s3://bucket/conflict"), "a");
      failing(/^PUT/, 409, "ConditionalRequestConflict");
      await assert.rejects(store.write("s3://bucket/conflict-2", Buffer.from("a"), { ifAbsent: true }), {
        code: "STORE_FAILED",
      });
    });

    it("succeeds for who may write only", async () => {
      failing(/^(?:GET|HEAD)/, 403, "AccessDenied");
      assert.deepEqual(await store.write("s3://bucket/blind", Buffer.from("abc")), {
        uri: "s3://bucket/blind",
        size: 3,
        modifiedAt: 5000,
      });
      assert.equal((await store.write("s3://bucket/blind-parts", parts(9), { ifAbsent: true })).size, 9 * mebibyte);
    });
  });
});

function answer(response: ServerResponse, status: number, body: string | undefined): void {
  const xml = body?.startsWith("<") === true ? body : `<Error><Code>${body}</Code><Message>No</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml" }).end(body === undefined ? undefined : xml);
}

/** Lets the first connections of a read break after some bytes. */
function cutting(
  s3: TestS3,
  times: number,
  bytes = 1000,
  onCut: () => void = () => {},
): { readonly ranges: (readonly [string | undefined, string | undefined])[] } {
  const ranges: (readonly [string | undefined, string | undefined])[] = [];
  s3.intercept = (request, response) => {
    ranges.push([request.headers.range, request.headers["if-match"]]);
    delete request.headers["if-match"];
    if (ranges.length > times) return false;
    const start = Number(/^bytes=(\d+)/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const rest = "0123456789".repeat(1000).slice(start);
    response.writeHead(200, { "content-length": rest.length, etag: '"etag"' });
    response.flushHeaders();
    response.write(rest.slice(0, bytes), () => {
      onCut();
      response.destroy();
    });
    return true;
  };
  return { ranges };
}

/** So many MiB in pieces; then what it fails with. */
async function* parts(mebibytes: number, failure?: Error): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(mebibyte / 4, "abcd");
  for (let i = 0; i < mebibytes * 4; i += 1) yield piece;
  if (failure !== undefined) throw failure;
}
