import type { OxlintOverride } from "oxlint";

/** One place of `src/` and what stands below it. */
export interface Floor {
  /** Glob of the files that the rule holds for; their tests are free. */
  readonly files: string;
  /** What of `src/` they may import besides their own folder. */
  readonly mayImport: readonly string[];
  /** The rule, as the linter says it. */
  readonly rule: string;
  /** `no-io`: none of Node's I/O modules; `language-only`: none of Node's modules, and no clock. */
  readonly purity?: "no-io" | "language-only";
}

const siblings = [
  "row",
  "stores",
  "agents",
  "channels",
  "registry",
  "stepfunctions",
  "dashboard",
  "telemetry",
] as const;

const engineFolders = ["local", "aws", "state-machines", "worker"] as const;

const sibling = (folder: string): Floor => ({
  files: `src/${folder}/**/*.ts`,
  mayImport: [folder, "core"],
  rule: `${folder}/ imports core/ and itself only: its siblings do not know each other. Take what you need as an argument.`,
});

const engine = (files: string, mayImport: readonly string[]): Floor => ({
  files,
  mayImport: ["core", "row", ...mayImport],
  rule: "engines/ import core/, row/ and what lies directly in engines/, aws/ also local/; all else reaches them as Services.",
});

/** The floors of `src/`: imports only fall. */
const floors: readonly Floor[] = [
  {
    files: "src/core/**/*.ts",
    mayImport: ["core"],
    rule: "core/ is the ground: it imports nothing above it. Take what you need as an argument.",
    purity: "language-only",
  },
  ...siblings.map((folder) =>
    folder === "row" || folder === "dashboard" ? { ...sibling(folder), purity: "no-io" as const } : sibling(folder),
  ),
  engine("src/engines/*.ts", ["engines"]),
  engine("src/engines/local/**/*.ts", ["engines", "local"]),
  engine("src/engines/aws/**/*.ts", ["engines", "local", "aws"]),
  engine("src/engines/state-machines/**/*.ts", ["engines", "state-machines"]),
  engine("src/engines/worker/**/*.ts", ["engines", "worker"]),
  {
    files: "src/server/**/*.ts",
    mayImport: ["server", "core", "dashboard"],
    rule: "server/ imports core/ and dashboard/; engines reach it as an argument.",
  },
  {
    files: "src/wire.ts",
    mayImport: [...siblings, "core", "engines", ...engineFolders],
    rule: "wire.ts puts floors 1 to 3 together; it knows no face (cli/, lambda/, server/).",
  },
  {
    files: "src/{cli,lambda}/**/*.ts",
    mayImport: [...siblings, "core", "engines", ...engineFolders, "server", "wire", "cli", "lambda"],
    rule: "Nobody inside imports index.ts: it is the front door for others.",
  },
  {
    files: "src/index.ts",
    mayImport: [...siblings, "core", "engines", ...engineFolders, "server", "wire"],
    rule: "index.ts re-exports what lies below; the faces (cli/, lambda/) are none of it.",
  },
];

/** Every folder and file directly in `src/` that the floors know, and the folders in `engines/`. */
export const places: readonly string[] = [
  "core",
  ...siblings,
  "engines",
  ...engineFolders,
  "server",
  "wire",
  "cli",
  "lambda",
  "index",
];

const ioModules = "fs net tls dns dgram http https http2 child_process cluster worker_threads os process readline tty"
  .split(" ")
  .flatMap((name) => [`node:${name}`, `node:${name}/**`]);

const heavy = {
  regex: "^(?:playwright-core|@sparticuz/chromium|@aws-sdk/.*)(?:/|$)",
  // A name pattern holds for static imports only, so `await import()` stays free.
  importNamePattern: ".",
  allowTypeImports: true,
  message: "Load heavy libraries by `await import()`, or import only their types: `rowcall --help` must stay instant.",
};

const sqlite = {
  group: ["node:sqlite"],
  message: "Only engines/local/sqlite.ts imports node:sqlite; go through its Database.",
};

const telemetry = {
  group: ["@opentelemetry/*"],
  message: "Only telemetry/ imports OpenTelemetry; wire.ts loads it when a collector is named.",
};

/** How a file of this floor would write the path to a place it must not know. */
function forbiddenPaths({ files, mayImport }: Floor): string {
  const above = places.filter((place) => !mayImport.includes(place));
  const upwards = files.split("/").length === 2 ? "\\./" : "(?:\\.\\./)+";
  const engines = files === "src/engines/*.ts" ? `|^\\./(?:${engineFolders.join("|")})/` : "";
  return `^${upwards}(?:${above.join("|")})(?:/|\\.ts$)${engines}`;
}

function restrictedImports(floor: Floor, mayUseSqlite: boolean): object[] {
  return [
    heavy,
    ...(mayUseSqlite ? [] : [sqlite]),
    ...(floor.files.startsWith("src/telemetry/") ? [] : [telemetry]),
    { regex: forbiddenPaths(floor), message: floor.rule },
    {
      regex: "(?:^|/)\\.\\./(?:src|test|scripts|bench|examples|infra)/",
      message: "src/ stands alone: what ships imports nothing outside of it.",
    },
    ...(floor.purity === "no-io" ? [{ group: ioModules, message: "Pure code: bytes and effects are arguments." }] : []),
    ...(floor.purity === "language-only"
      ? [{ group: ["node:*", "node:*/**"], message: "core/ uses the language only, no module of Node." }]
      : []),
  ];
}

function purityRules(purity: Floor["purity"]): NonNullable<OxlintOverride["rules"]> {
  if (purity === undefined) return {};
  const globals = ["process", "performance", "fetch", ...(purity === "language-only" ? ["Date", "setTimeout"] : [])];
  return {
    "no-restricted-globals": [
      "error",
      {
        globals: globals.map((name) => ({ name, message: "No environment and no clock here: both are arguments." })),
        checkGlobalObject: true,
      },
    ],
    "no-restricted-properties": ["error", { object: "Date", property: "now", message: "The clock is an argument." }],
  };
}

const override = (floor: Floor, mayUseSqlite = false): OxlintOverride => ({
  files: [floor.files],
  excludeFiles: ["**/*.test.ts"],
  rules: {
    "no-restricted-imports": ["error", { patterns: restrictedImports(floor, mayUseSqlite) }],
    ...purityRules(floor.purity),
  },
});

const aboveInfra = places
  .filter((place) => place !== "core" && place !== "engines" && place !== "aws")
  .map((place) => ((engineFolders as readonly string[]).includes(place) ? `engines/${place}/` : place));

/** The deployment reaches into `src/` for the state machines only: what it deploys is bundled from `src/lambda/`. */
const infra: OxlintOverride = {
  files: ["infra/**/*.ts"],
  excludeFiles: ["**/*.test.ts", "infra/testing/**"],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            regex: `^(?:\\.\\./)+src/(?:${aboveInfra.join("|")}|engines/[^/]+\\.ts$)`,
            message: "infra/ imports core/ and engines/aws/ only: functions reach AWS as bundles of src/lambda/.",
          },
          {
            regex: "^(?:\\.\\./)+(?:test|scripts|bench|examples)/",
            message: "What is deployed needs no tests and no tools.",
          },
        ],
      },
    ],
  },
};

/** The floors as overrides for the linter; a file takes the last one that matches it. */
export const floorOverrides: OxlintOverride[] = [
  ...floors.map((floor) => override(floor)),
  infra,
  override(engine("src/engines/local/sqlite.ts", ["engines", "local"]), true),
];
