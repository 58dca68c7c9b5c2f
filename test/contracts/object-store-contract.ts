import assert from "node:assert/strict";
import type { ObjectInfo, ObjectStore } from "../../src/core/object-store.ts";
import { joinUri } from "../../src/core/uri.ts";
import { contractTests } from "./contract-tests.ts";

/** A store to hold to its contract. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** A prefix without a slash at its end, under which nothing is stored. */
  readonly prefix: string;
  /** Everything that is left behind, also what `list` does not show. */
  leftovers(): Promise<readonly string[]>;
  close(): Promise<void>;
}

const awkwardNames = [
  "a b.csv",
  "100%.csv",
  "a%20b.csv",
  "naïve-Straße.csv",
  "住所🏠.csv",
  "a&b=c+d;e,f'g.csv",
  "#1.csv",
  "what-2.csv",
];

/** Holds a store to the contract of `ObjectStore`. */
export function objectStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const storeTest = contractTests(name, open);

  storeTest("reads back what was written, bytes and streams", async ({ store, prefix }) => {
    const bytes = Buffer.from([0, 255, 10, 13, 0xef, 0xbb, 0xbf]);
    await store.write(`${prefix}/bytes`, bytes);
    await store.write(`${prefix}/stream`, chunks("one,", "two\r\n", "", "three"));
    assert.deepEqual(await bytesOf(store, `${prefix}/bytes`), bytes);
    assert.equal(await textOf(store, `${prefix}/stream`), "one,two\r\nthree");
  });

  storeTest("tells size, time and a URI that reads back", async ({ store, prefix }) => {
    const written = await store.write(`${prefix}/new/folders/a.csv`, Buffer.from("abc"));
    assert.equal(written.size, 3);
    assert.ok(Number.isInteger(written.modifiedAt) && written.modifiedAt > 0);
    assert.equal(await textOf(store, written.uri), "abc");
    assert.deepEqual(await store.stat(`${prefix}/new/folders/a.csv`), written);
  });

  storeTest("keeps an empty object, which is not an absent one", async ({ store, prefix }) => {
    await store.write(`${prefix}/empty`, new Uint8Array());
    await store.write(`${prefix}/empty-stream`, chunks());
    for (const uri of [`${prefix}/empty`, `${prefix}/empty-stream`]) {
      assert.equal((await store.stat(uri))?.size, 0);
      assert.equal(await textOf(store, uri), "");
    }
  });

  storeTest("passes a large object on in parts, whole", async ({ store, prefix }) => {
    const part = Buffer.alloc(100_003, "abcdefg");
    await store.write(`${prefix}/large`, chunks(...Array.from({ length: 11 }, () => part)));
    let parts = 0;
    let size = 0;
    for await (const chunk of store.read(`${prefix}/large`)) {
      parts += 1;
      size += chunk.length;
    }
    assert.equal(size, 11 * part.length);
    assert.ok(parts > 1);
  });

  storeTest("reads ranges: the end is exclusive and may lie beyond the object", async ({ store, prefix }) => {
    const uri = `${prefix}/ranges`;
    await store.write(uri, Buffer.from("0123456789"));
    assert.equal(await textOf(store, uri, { start: 0, end: 1 }), "0");
    assert.equal(await textOf(store, uri, { start: 3, end: 6 }), "345");
    assert.equal(await textOf(store, uri, { start: 8 }), "89");
    assert.equal(await textOf(store, uri, { start: 8, end: 100 }), "89");
    assert.equal(await textOf(store, uri, { start: 4, end: 4 }), "");
    assert.equal(await textOf(store, uri, { start: 10 }), "");
  });

  storeTest("reading what is not there is STORE_NOT_FOUND with the URI", async ({ store, prefix }) => {
    await assert.rejects(
      textOf(store, `${prefix}/none.csv`),
      (error: { code: string; message: string; hint: string }) => {
        assert.equal(error.code, "STORE_NOT_FOUND");
        assert.ok(error.message.includes("none.csv"), error.message);
        assert.ok(error.hint.length > 0);
        return true;
      },
    );
    assert.equal(await store.stat(`${prefix}/none.csv`), undefined);
    assert.equal(await store.stat(`${prefix}/none/at/all.csv`), undefined);
  });

  storeTest("replaces an object, unless it is told not to", async ({ store, prefix }) => {
    const uri = `${prefix}/a.csv`;
    await store.write(uri, Buffer.from("first, and longer"));
    await store.write(uri, Buffer.from("second"));
    assert.equal(await textOf(store, uri), "second");
    await assert.rejects(store.write(uri, Buffer.from("third"), { ifAbsent: true }), { code: "OUTPUT_EXISTS" });
    assert.equal(await textOf(store, uri), "second");
  });

  storeTest("of many that write where nothing is, exactly one wins", async ({ store, prefix, leftovers }) => {
    const uri = `${prefix}/raced.csv`;
    const writers = Array.from({ length: 20 }, (_, i) =>
      store.write(uri, chunks(`writer ${i} `, "done"), { ifAbsent: true }),
    );
    const settled = await Promise.allSettled(writers);
    const winners = settled.flatMap((result, i) => (result.status === "fulfilled" ? [i] : []));
    assert.equal(winners.length, 1);
    for (const result of settled)
      if (result.status === "rejected") assert.equal((result.reason as { code: string }).code, "OUTPUT_EXISTS");
    assert.equal(await textOf(store, uri), `writer ${winners[0]} done`);
    assert.equal((await leftovers()).length, 1);
  });

  storeTest("shows the old object until the new one is whole", async ({ store, prefix }) => {
    const uri = `${prefix}/a.csv`;
    await store.write(uri, Buffer.from("old"));
    const seen: string[] = [];
    async function* peeking(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("new ");
      seen.push(await textOf(store, uri), String((await collect(store.list(`${prefix}/`))).length));
      yield Buffer.from("content");
    }
    await store.write(uri, peeking());
    assert.deepEqual(seen, ["old", "1"]);
    assert.equal(await textOf(store, uri), "new content");
  });

  storeTest(
    "a source that fails leaves nothing behind, and its error passes through",
    async ({ store, prefix, leftovers }) => {
      const failure = new Error("the source broke");
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield Buffer.from("half");
        throw failure;
      }
      for (const ifAbsent of [false, true]) {
        await assert.rejects(store.write(`${prefix}/never.csv`, failing(), { ifAbsent }), (error) => error === failure);
      }
      await store.write(`${prefix}/kept.csv`, Buffer.from("kept"));
      await assert.rejects(store.write(`${prefix}/kept.csv`, failing()), (error) => error === failure);
      assert.equal(await textOf(store, `${prefix}/kept.csv`), "kept");
      assert.equal(await store.stat(`${prefix}/never.csv`), undefined);
      assert.equal((await leftovers()).length, 1);
    },
  );

  storeTest("lists by prefix, which may end inside a name, in order of the URIs", async ({ store, prefix }) => {
    const names = ["run/b.csv", "run/a/2.csv", "run/a/1.csv", "run/a.csv", "run/a-b.csv", "running.csv", "other/c.csv"];
    for (const name of names) await store.write(joinUri(prefix, name), Buffer.from(name));
    const listed = async (under: string): Promise<string[]> =>
      relative(await collect(store.list(`${prefix}/${under}`)), "run");
    assert.deepEqual(await listed("run/"), ["run/a-b.csv", "run/a.csv", "run/a/1.csv", "run/a/2.csv", "run/b.csv"]);
    assert.deepEqual(await listed("run/a/"), ["run/a/1.csv", "run/a/2.csv"]);
    assert.deepEqual(await listed("run/a"), ["run/a-b.csv", "run/a.csv", "run/a/1.csv", "run/a/2.csv"]);
    assert.deepEqual(await listed("runn"), ["running.csv"]);
    assert.deepEqual(await listed("run/none/"), []);
    const whole = await collect(store.list(`${prefix}/`));
    assert.equal(whole.length, names.length);
    assert.deepEqual(
      whole,
      whole.toSorted((a, b) => (a.uri < b.uri ? -1 : 1)),
    );
  });

  storeTest("takes names with spaces, percent signs, reserved and foreign characters", async ({ store, prefix }) => {
    for (const name of awkwardNames) {
      const given = (await store.write(joinUri(prefix, encodeFor(prefix, name)), Buffer.from(name))).uri;
      assert.equal(await textOf(store, given), name);
    }
    const listed = await collect(store.list(`${prefix}/`));
    assert.equal(listed.length, awkwardNames.length);
    const texts = await Promise.all(listed.map(({ uri }) => textOf(store, uri)));
    assert.deepEqual(texts.toSorted(), awkwardNames.toSorted());
    assert.deepEqual(
      listed,
      listed.toSorted((a, b) => (a.uri < b.uri ? -1 : 1)),
    );
    for (const info of listed) assert.deepEqual(await store.stat(info.uri), info);
  });

  storeTest("deletes, also what is not there", async ({ store, prefix }) => {
    await store.write(`${prefix}/a.csv`, Buffer.from("a"));
    await store.delete(`${prefix}/a.csv`);
    assert.equal(await store.stat(`${prefix}/a.csv`), undefined);
    await store.delete(`${prefix}/a.csv`);
    await store.delete(`${prefix}/no/such/folder/a.csv`);
  });

  storeTest("a write is done even when somebody deletes the object in the same moment", async ({ store, prefix }) => {
    const uri = `${prefix}/raced.csv`;
    const visit = async (): Promise<void> => {
      assert.equal((await store.write(uri, Buffer.from("a"))).size, 1);
      await store.delete(uri);
    };
    await Promise.all(Array.from({ length: 40 }, visit));
    assert.equal(await store.stat(uri), undefined);
  });

  storeTest("tells two objects apart, and knows one again, whether or not it is there", async ({ store, prefix }) => {
    const [here, other] = [`${prefix}/here.csv`, `${prefix}/other.csv`];
    await store.write(here, Buffer.from("a"));
    assert.equal(await store.identify(here), await store.identify(here));
    assert.notEqual(await store.identify(here), await store.identify(other));
    assert.equal(await store.identify(other), await store.identify(other));
    await store.write(other, Buffer.from("a"));
    assert.notEqual(await store.identify(here), await store.identify(other));
  });

  storeTest("copies an object, replacing or not as it is told", async ({ store, prefix, leftovers }) => {
    const [from, to] = [`${prefix}/a b/1.csv`, `${prefix}/new/2.csv`];
    await store.write(from, Buffer.from("original"));
    const copied = await store.copy(from, to, { contentType: "text/csv" });
    assert.deepEqual(copied, await store.stat(to));
    assert.equal(await textOf(store, to), "original");
    await store.write(from, Buffer.from("changed"));
    await assert.rejects(store.copy(from, to, { ifAbsent: true }), { code: "OUTPUT_EXISTS" });
    assert.equal(await textOf(store, to), "original");
    await store.copy(from, to);
    assert.equal(await textOf(store, to), "changed");
    await store.copy(to, to);
    assert.equal(await textOf(store, to), "changed");
    assert.equal((await leftovers()).length, 2);
  });

  storeTest("copying what is not there is STORE_NOT_FOUND and leaves nothing", async ({ store, prefix, leftovers }) => {
    await assert.rejects(
      store.copy(`${prefix}/none.csv`, `${prefix}/copy.csv`),
      (error: { code: string; message: string }) => {
        assert.equal(error.code, "STORE_NOT_FOUND");
        assert.ok(error.message.includes("none.csv"), error.message);
        return true;
      },
    );
    assert.deepEqual(await leftovers(), []);
  });

  storeTest("keeps what it was given, whatever becomes of the writer's buffer", async ({ store, prefix }) => {
    const buffer = Buffer.from("before");
    await store.write(`${prefix}/a`, buffer);
    buffer.fill("x");
    assert.equal(await textOf(store, `${prefix}/a`), "before");
    async function* reusing(): AsyncGenerator<Uint8Array> {
      for (const text of ["one ", "two ", "end."]) {
        buffer.write(text);
        yield buffer.subarray(0, 4);
      }
    }
    await store.write(`${prefix}/b`, reusing());
    assert.equal(await textOf(store, `${prefix}/b`), "one two end.");
  });

  storeTest("a reader that stops early does no harm", async ({ store, prefix }) => {
    await store.write(`${prefix}/a`, Buffer.alloc(500_000, "a"));
    for await (const chunk of store.read(`${prefix}/a`)) {
      assert.ok(chunk.length > 0);
      break;
    }
    await store.delete(`${prefix}/a`);
  });
}

// In a plain path, a memory: URI and an s3: URI every character stands for itself.
function encodeFor(prefix: string, name: string): string {
  return prefix.startsWith("file:") ? encodeURIComponent(name) : name;
}

function relative(infos: readonly ObjectInfo[], from: string): string[] {
  return infos.map(({ uri }) => uri.slice(uri.lastIndexOf(`/${from}`) + 1));
}

async function* chunks(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(source);
}

async function bytesOf(store: ObjectStore, uri: string, range?: { start: number; end?: number }): Promise<Buffer> {
  return Buffer.concat(await collect(store.read(uri, range)));
}

async function textOf(store: ObjectStore, uri: string, range?: { start: number; end?: number }): Promise<string> {
  return (await bytesOf(store, uri, range)).toString("utf8");
}
