import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  /** Whether it is a folder of this repository. */
  readonly link?: boolean;
  /** Whether it comes inside the package that it is in. */
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface Manifest {
  readonly workspaces: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
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

const manifest = (await readJson("package.json")) as Manifest;

test("every dependency is pinned to one version", async () => {
  for (const folder of [".", ...manifest.workspaces]) {
    const { dependencies, devDependencies, optionalDependencies } = (await readJson(
      `${folder}/package.json`,
    )) as Manifest;
    const all = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
    assert.notEqual(all.length, 0);
    assert.deepEqual(
      all.filter(([, range]) => !/^\d/.test(range)),
      [],
      folder,
    );
  }
});

test("what is installed is checked by the lock file's digest, and none of it runs a script of its own", () => {
  const installed = Object.entries(packages).filter(
    ([path, { link, inBundle }]) => path.includes("node_modules/") && link !== true && inBundle !== true,
  );
  assert.notEqual(installed.length, 0);
  assert.deepEqual(
    installed.filter(([, { integrity }]) => integrity?.startsWith("sha512-") !== true).map(([path]) => path),
    [],
  );
  const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  const allowed = scripted
    .map(([path]) => path.replace(/^.*node_modules\//, ""))
    .filter((name) => manifest.allowScripts[name] !== false);
  assert.deepEqual(allowed, [], "deny them with: npm install-scripts deny NAME");
});
