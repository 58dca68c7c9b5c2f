import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

interface LockedPackage {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

async function readJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(`../../${name}`, import.meta.url), "utf8")) as unknown;
}

const { packages } = (await readJson("package-lock.json")) as LockFile;

// npm leaves out what the registry does not offer on the day, and `npm ci` then refuses the file.
test("the lock file knows every platform's optional packages, not only those of the machine that wrote it", () => {
  const names = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, "")));
  const missing = Object.values(packages).flatMap((one) =>
    Object.keys(one.optionalDependencies ?? {}).filter((name) => !names.has(name)),
  );
  assert.deepEqual(missing, []);
});

test("every dependency is pinned to one version", async () => {
  const { dependencies, devDependencies } = (await readJson("package.json")) as Manifest;
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(([, range]) => !/^\d/.test(range));
  assert.deepEqual(loose, []);
});
