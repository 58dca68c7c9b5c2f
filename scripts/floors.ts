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

/** What reaches the outside or knows a format: each an adapter of its own, and none knows another. */
const drivers = ["table", "stores", "registry", "channels", "agents", "telemetry"] as const;

const engines = ["engines/local", "engines/aws", "engines/worker"] as const;

const ground = ["core", "aws"] as const;
const belowEngines = [...ground, "table", "attempt", "runs"] as const;
const belowFaces = [...ground, ...drivers, "attempt", "runs", ...engines, "app"] as const;

const floor = (room: string, mayImport: readonly string[], rule: string, purity?: Floor["purity"]): Floor => ({
  files: `src/${room}/**/*.ts`,
  mayImport: [room, ...mayImport],
  rule,
  ...(purity === undefined ? {} : { purity }),
});

/** The floors of `src/`: imports only fall. A file takes the last one that matches it. */
const floors: readonly Floor[] = [
  floor(
    "core",
    [],
    "core/ is the ground: it imports nothing above it. Take what you need as an argument.",
    "language-only",
  ),
  floor(
    "aws",
    ["core"],
    "aws/ imports core/ only: settings, errors and the client of Step Functions, for those who reach AWS.",
  ),
  ...drivers.map((room) =>
    floor(
      room,
      ground,
      `${room}/ imports core/, aws/ and itself only: drivers do not know each other. Take what you need as an argument.`,
    ),
  ),
  {
    ...floor("table", ground, "Rows are read, mapped and written by pure functions: bytes are arguments.", "no-io"),
    files: "src/table/{dialect,parse,read-table,map,enrich,write}.ts",
  },
  floor(
    "attempt",
    [...ground, "table"],
    "attempt/ imports core/, aws/ and table/; stores and agents reach it as Services.",
  ),
  floor("runs", [...ground, "table", "attempt"], "runs/ imports core/, aws/, table/ and attempt/: it knows no engine."),
  ...engines.map((room) =>
    floor(
      room,
      belowEngines,
      "An engine imports what lies below all engines; drivers reach it as Services, and it knows no other engine.",
    ),
  ),
  floor("app", belowFaces, "app/ puts everything below together; it knows no face (cli/, mcp/, server/, lambda/)."),
  floor("server", belowFaces, "server/ imports app/ and what lies below; it knows no other face."),
  floor("server/pages", [...belowFaces, "server"], "Pages are functions from what they are given to HTML.", "no-io"),
  floor("cli", [...belowFaces, "server", "lambda"], "Nobody inside imports index.ts: it is the front door for others."),
  floor("lambda", [...belowFaces, "cli", "server"], "Nobody inside imports index.ts: it is the front door for others."),
  {
    files: "src/index.ts",
    mayImport: [...belowFaces, "server"],
    rule: "index.ts re-exports what lies below; the faces (cli/, lambda/) are none of it.",
  },
];

/** Every folder and file directly in `src/` that the floors know, and each engine. */
export const places: readonly string[] = [...belowFaces, "server", "cli", "lambda", "index"];

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
  message: "Only runs/sqlite.ts imports node:sqlite; go through its Database.",
};

const telemetry = {
  group: ["@opentelemetry/*"],
  message: "Only telemetry/ imports OpenTelemetry; app/wire.ts loads it when a collector is named.",
};

/** How a file of this floor would write the path to a place it must not know. */
function forbiddenPaths({ files, mayImport }: Floor): string {
  const above = places.filter((place) => !mayImport.includes(place));
  const upwards = files.split("/").length === 2 ? "\\./" : "(?:\\.\\./)+";
  // From one engine to another it is one folder up.
  const beside = files.startsWith("src/engines/")
    ? above.flatMap((place) => place.match(/^engines\/(.+)/)?.[1] ?? [])
    : [];
  const sideways = beside.length === 0 ? "" : `|\\.\\./(?:${beside.join("|")})`;
  return `^(?:${upwards}(?:${above.join("|")})${sideways})(?:/|\\.ts$)`;
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

const aboveInfra = places.filter((place) => !["core", "aws", "engines/aws"].includes(place));

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
            regex: `^(?:\\.\\./)+src/(?:${aboveInfra.join("|")})(?:/|\\.ts$)`,
            message: "infra/ imports core/, aws/ and engines/aws/ only: functions reach AWS as bundles of src/lambda/.",
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

function floorOf(room: string): Floor {
  const found = floors.find(({ files }) => files === `src/${room}/**/*.ts`);
  if (found === undefined) throw new Error(`No floor ${room}`);
  return found;
}

/** The floors as overrides for the linter; a file takes the last one that matches it. */
export const floorOverrides: OxlintOverride[] = [
  ...floors.map((floor) => override(floor)),
  infra,
  override({ ...floorOf("runs"), files: "src/runs/sqlite.ts" }, true),
];
