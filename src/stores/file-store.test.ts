import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { link, mkdir, mkdtemp, readFile, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { objectStoreContract, type StoreUnderTest } from "../../test/contracts/object-store-contract.ts";
import { openFileStore } from "./file-store.ts";

async function open(prefixIn: (folder: string) => string): Promise<StoreUnderTest & { folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "rowcall file 100% "));
  return {
    folder,
    store: openFileStore({ baseDirectory: folder }),
    prefix: prefixIn(folder),
    leftovers: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    close: () => rm(folder, { recursive: true }),
  };
}

objectStoreContract("file store, absolute paths", () => open((folder) => join(folder, "data")));
objectStoreContract("file store, relative paths", () => open(() => "data"));
objectStoreContract("file store, file: URIs", () => open((folder) => pathToFileURL(join(folder, "data")).href));

async function inFolder(run: (under: StoreUnderTest & { folder: string }) => Promise<void>): Promise<void> {
  const under = await open(() => "");
  try {
    await run(under);
  } finally {
    await under.close();
  }
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(chunks)).toString("utf8");
}

test("a relative path starts from the base directory, with file: before it too", () =>
  inFolder(async ({ store, folder }) => {
    await store.write("out/a b.csv", Buffer.from("a"));
    assert.equal(await readFile(join(folder, "out/a b.csv"), "utf8"), "a");
    assert.equal(await textOf(store.read("file:out/a%20b.csv")), "a");
    assert.equal((await store.stat("./out/../out/a b.csv"))?.size, 1);
  }));

test("an object's URI keeps the form it was asked for in", () =>
  inFolder(async ({ store, folder }) => {
    assert.equal((await store.write("out/a.csv", Buffer.from("a"))).uri, "out/a.csv");
    const href = pathToFileURL(join(folder, "out/b c.csv")).href;
    assert.equal((await store.write(href.replaceAll("%20", " "), Buffer.from("b"))).uri, href);
    assert.deepEqual(
      (await Array.fromAsync(store.list("out/"))).map(({ uri }) => uri),
      ["out/a.csv", "out/b c.csv"],
    );
    assert.deepEqual(
      (await Array.fromAsync(store.list("ou"))).map(({ uri }) => uri),
      ["out/a.csv", "out/b c.csv"],
    );
    assert.equal((await Array.fromAsync(store.list(""))).length, 2);
  }));

test("suggests the file that was probably meant", () =>
  inFolder(async ({ store, folder }) => {
    await writeFile(join(folder, "addresses.csv"), "");
    await assert.rejects(textOf(store.read("adresses.csv")), {
      code: "STORE_NOT_FOUND",
      hint: /^Did you mean "addresses\.csv"\?/,
    });
  }));

test("a folder is not an object", () =>
  inFolder(async ({ store, folder }) => {
    await mkdir(join(folder, "out"));
    assert.equal(await store.stat("out"), undefined);
    assert.equal(await store.stat("out/"), undefined);
    for (const uri of ["out", "out/"]) {
      const told = { code: "STORE_DENIED", message: new RegExp(`${uri}: it is a folder$`), hint: "Name a file in it." };
      await assert.rejects(textOf(store.read(uri)), told);
      await assert.rejects(store.write(uri, Buffer.from("a")), told);
    }
    assert.deepEqual(await readdir(folder), ["out"]);
  }));

test("says so when a part of the path is a file", () =>
  inFolder(async ({ store, folder }) => {
    await writeFile(join(folder, "a"), "");
    await assert.rejects(textOf(store.read("a/b.csv")), { code: "STORE_NOT_FOUND" });
    await assert.rejects(store.write("a/b.csv", Buffer.from("b")), { message: /a\/b\.csv/, hint: /./ });
  }));

test("replaces the file a link leads to and keeps the link", { skip: process.platform === "win32" }, () =>
  inFolder(async ({ store, folder }) => {
    await writeFile(join(folder, "real.csv"), "old");
    await symlink("real.csv", join(folder, "link.csv"));
    await store.write("link.csv", Buffer.from("new"));
    assert.equal(await readlink(join(folder, "link.csv")), "real.csv");
    assert.equal(await readFile(join(folder, "real.csv"), "utf8"), "new");
  }),
);

test("a file is the same one under every name", () =>
  inFolder(async ({ store, folder }) => {
    await store.write("real.csv", Buffer.from("a"));
    await link(join(folder, "real.csv"), join(folder, "hard.csv"));
    if (process.platform !== "win32") await symlink("real.csv", join(folder, "soft.csv"));
    const names = [
      "./x/../real.csv",
      join(folder, "real.csv"),
      pathToFileURL(join(folder, "real.csv")).href,
      "hard.csv",
    ];
    const same = await store.identify("real.csv");
    for (const name of [...names, ...(process.platform === "win32" ? [] : ["soft.csv"])])
      assert.equal(await store.identify(name), same, name);
  }));

test("never puts a file where a device is", { skip: process.platform === "win32" }, () =>
  inFolder(async ({ store }) => {
    await assert.rejects(store.write("/dev/null", Buffer.from("a")), {
      code: "STORE_FAILED",
      message: /a device or a pipe/,
    });
  }),
);

test("does not list what a crash left half written, nor links that lead nowhere", () =>
  inFolder(async ({ store, folder }) => {
    await writeFile(join(folder, ".rowcall-0123456789abcdef.tmp"), "half");
    if (process.platform !== "win32") await symlink("nowhere", join(folder, "broken.csv"));
    await writeFile(join(folder, ".hidden"), "");
    assert.deepEqual(
      (await Array.fromAsync(store.list(""))).map(({ uri }) => uri),
      [".hidden"],
    );
  }));

test("what a killed process left half written is removed by the next one, and nothing of a living one or another machine", () =>
  inFolder(async ({ store, folder }) => {
    const script = `
      import { openFileStore } from ${JSON.stringify(new URL("file-store.ts", import.meta.url).href)};
      async function* content() {
        yield Buffer.from("half");
        console.log("writing");
        await new Promise(() => {});
      }
      setInterval(() => {}, 1000);
      await openFileStore({ baseDirectory: ${JSON.stringify(folder)} }).write("out/a.csv", content());
    `;
    const begin = async (): Promise<ChildProcess> => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      return child;
    };
    const end = async (child: ChildProcess): Promise<void> => {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    };
    const living = await begin();
    const [alive = assert.fail()] = await readdir(join(folder, "out"));
    await end(await begin());
    await writeFile(join(folder, "out", ".rowcall-00000000-1-0123456789abcdef.tmp"), "");
    await writeFile(join(folder, "out", ".rowcall-0123456789abcdef.tmp"), "");
    assert.equal((await readdir(join(folder, "out"))).length, 4);
    await store.write("out/b.csv", Buffer.from("b"));
    assert.deepEqual(
      (await readdir(join(folder, "out"))).toSorted(),
      [".rowcall-00000000-1-0123456789abcdef.tmp", ".rowcall-0123456789abcdef.tmp", alive, "b.csv"].toSorted(),
    );
    await end(living);
  }));

test("refuses a file: URI that names another machine", () =>
  inFolder(async ({ store }) => {
    await assert.rejects(textOf(store.read("file://server/share/a.csv")), {
      code: "USAGE_INVALID",
      hint: /file:\/\/\//,
    });
  }));
