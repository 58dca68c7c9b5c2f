import process from "node:process";
import type { OxlintConfig } from "oxlint";
import { floorOverrides } from "./scripts/floors.ts";

const typedOnly = ["argument", "assignment", "call", "member-access", "return"].map(
  (what) => `typescript/no-unsafe-${what}`,
);

const config: OxlintConfig = {
  plugins: ["eslint", "typescript", "import", "node", "oxc", "unicorn"],
  // What needs no types takes a tenth of the time.
  options: {
    typeAware: process.env["LINT_TYPES"] !== "off",
    denyWarnings: true,
    reportUnusedDisableDirectives: "error",
  },
  categories: { correctness: "error", suspicious: "error" },
  rules: {
    eqeqeq: ["error", "always", { null: "ignore" }],
    "no-control-regex": "off",
    "no-shadow": "off",
    "no-underscore-dangle": "off",
    "import/no-named-as-default-member": "off",
    "unicorn/consistent-function-scoping": "off",
    "unicorn/no-array-sort": "off",
    "unicorn/no-useless-spread": "off",
    // What a loop waits for is changed by callbacks, which the rule does not see.
    "no-unmodified-loop-condition": "off",
    // Threads of Node have no origin.
    "unicorn/require-post-message-target-origin": "off",
    // The `if` step of a template has a `then`, and nobody awaits a step.
    "unicorn/no-thenable": "off",
    // Ports are objects of closures, so their functions may be taken off them.
    "typescript/unbound-method": "off",
    // The compiler's `noImplicitReturns` family says it better.
    "typescript/consistent-return": "off",
    // Values from JSON, SQLite and pages are narrowed by hand after they were validated.
    "typescript/no-unsafe-type-assertion": "off",

    // A promise nobody waits for is a row nobody knows about.
    "typescript/no-misused-promises": "error",
    "typescript/return-await": ["error", "error-handling-correctness-only"],
    "typescript/prefer-promise-reject-errors": "error",
    "typescript/only-throw-error": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/no-deprecated": "error",
    "typescript/no-explicit-any": "error",
    ...Object.fromEntries(typedOnly.map((rule) => [rule, "error" as const])),

    "import/no-cycle": ["error", { ignoreTypes: false }],
    // `import("…").T` in a type would slip past no-cycle and the floors.
    "typescript/consistent-type-imports": "error",
    "unicorn/prefer-node-protocol": "error",
  },
  overrides: [
    { files: ["src/**/*.ts"], rules: { "import/no-default-export": "error" } },
    // Plain JavaScript (the replica's pages, which a browser runs as they are) has no types to be unsafe about.
    { files: ["**/*.js"], rules: Object.fromEntries(typedOnly.map((rule) => [rule, "off" as const])) },
    // A construct of the CDK is in its tree once it is made.
    { files: ["infra/**/*.ts"], rules: { "no-new": "off" } },
    // node:test collects the promises of test() and describe() itself.
    {
      files: ["**/*.test.ts", "{test,infra/testing}/**/*.ts"],
      rules: {
        "typescript/no-base-to-string": "off",
        "typescript/no-floating-promises": [
          "error",
          {
            allowForKnownSafeCalls: [
              { from: "package", package: "node:test", name: ["test", "suite", "describe", "it"] },
            ],
          },
        ],
      },
    },
    ...floorOverrides,
  ],
};

export default config;
