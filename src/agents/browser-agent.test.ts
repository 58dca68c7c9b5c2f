import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import {
  parseAgent,
  type AgentDefinition,
  type Artifacts,
  type InvokeContext,
  type Invoker,
  type RecordingLevel,
} from "../core/agent.ts";
import type { Artifact, StepRecord } from "../core/attempt.ts";
import { RowcallError } from "../core/errors.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { parseTemplateDocument } from "../core/template.ts";
import { openBrowserAgent } from "./browser-agent.ts";
import type { HostedEnvironment } from "./agent-host.ts";

/** Asks for a name and greets; the page /slow never answers. */
function startSite(): Promise<Server> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://site");
    if (url.pathname === "/slow") return;
    response.setHeader("content-type", "text/html; charset=utf-8");
    const name = url.searchParams.get("name");
    const greeting = `<h1 id="greeting">Hello ${name}</h1><a href="http://localhost:${(server.address() as AddressInfo).port}/">elsewhere</a>`;
    response.end(
      name === null ? '<form><label>Name <input name="name"></label><button>Greet</button></form>' : greeting,
    );
  });
  return new Promise((resolve) => void server.listen(0, "127.0.0.1", () => resolve(server)));
}

const greet: JsonValue[] = [
  { action: "fill", locator: { label: "Name" }, value: "{{name}}" },
  { action: "click", locator: { role: "button", name: "Greet" } },
  { action: "extract", fields: { greeting: { locator: { css: "#greeting" } } } },
];

interface Attempt {
  readonly context: InvokeContext;
  readonly artifacts: Artifact[];
  readonly steps: StepRecord[];
}

function attempt(signal: AbortSignal = new AbortController().signal): Attempt {
  const kept: Artifact[] = [];
  const steps: StepRecord[] = [];
  const artifacts: Artifacts = {
    save: async (name, _content, contentType) => {
      kept.push({ name, uri: `memory:/${name}`, contentType });
      return `memory:/${name}`;
    },
    step: (record) => void steps.push(record),
  };
  return { context: { signal, runId: "run-1", row: 4, attempt: 2, artifacts }, artifacts: kept, steps };
}

describe("browser agent", () => {
  let server: Server;
  let origin: string;
  before(async () => {
    server = await startSite();
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function agent(config: JsonObject): AgentDefinition {
    const structured = { enabled: true, output_fields: ["greeting"] };
    return parseAgent(
      {
        agent_name: "greeter",
        version: "1.0.0",
        kind: "browser",
        config: { template: "greet@1.0.0", ...config },
        structured_output: structured,
      },
      "agent",
    );
  }

  async function open(
    config: JsonObject = {},
    steps: readonly JsonValue[] = greet,
    recording: RecordingLevel = "none",
    page = "/",
    environment: Partial<HostedEnvironment> = {},
  ): Promise<Invoker> {
    const document = {
      template_id: "greet",
      version: "1.0.0",
      starting_page: page.startsWith("/") ? `${origin}${page}` : page,
      steps,
      session: { timeout_seconds: 3 },
    };
    const invoker = await openBrowserAgent(agent(config), {
      template: async (reference) => parseTemplateDocument(document, `template ${reference}`),
      secret: () => undefined,
      concurrency: 2,
      recording,
      aws: { endpoints: {} },
      baseDirectory: "/",
      ...environment,
    });
    return invoker;
  }

  async function withAgent<T>(opening: Promise<Invoker>, work: (invoker: Invoker) => Promise<T>): Promise<T> {
    const invoker = await opening;
    try {
      return await work(invoker);
    } finally {
      await invoker.close();
    }
  }

  it("runs the template with the row's values and answers with structured output", () =>
    withAgent(open(), async (invoker) => {
      const { context, steps } = attempt();
      assert.deepEqual(await invoker.invoke({ name: "Ada & Bob" }, context), {
        structured_output: { greeting: "Hello Ada & Bob" },
      });
      assert.deepEqual(
        steps.map(({ status }) => status),
        ["done", "done", "done", "done"],
      );
    }));

  it("puts the agent's own variables under those of the row", () =>
    withAgent(open({ variables: { name: "Nobody" } }), async (invoker) => {
      assert.deepEqual(await invoker.invoke({}, attempt().context), {
        structured_output: { greeting: "Hello Nobody" },
      });
      assert.deepEqual(await invoker.invoke({ name: "Ada" }, attempt().context), {
        structured_output: { greeting: "Hello Ada" },
      });
    }));

  it("adds the recording's URI and what identifies the attempt", () =>
    withAgent(
      open({ recording_field: "screenshot_url", metadata_field: "metadata" }, greet, "screenshot"),
      async (invoker) => {
        const { context, artifacts } = attempt();
        assert.deepEqual(await invoker.invoke({ name: "Ada" }, context), {
          structured_output: {
            greeting: "Hello Ada",
            screenshot_url: "memory:/final.jpg",
            metadata: { act_id: "run-1-4-2", session_id: "run-1-4", num_steps: 4 },
          },
        });
        assert.deepEqual(
          artifacts.map(({ name }) => name),
          ["final.jpg"],
        );
      },
    ));

  it("says null where nothing was recorded", () =>
    withAgent(open({ recording_field: "screenshot_url" }), async (invoker) => {
      assert.deepEqual(await invoker.invoke({ name: "Ada" }, attempt().context), {
        structured_output: { greeting: "Hello Ada", screenshot_url: null },
      });
    }));

  it("fails loudly, with a picture, when the page is not what the template expects", () =>
    withAgent(
      open({}, [{ action: "extract", fields: { greeting: { locator: { css: "#greeting" } } } }], "screenshot"),
      async (invoker) => {
        const { context, artifacts, steps } = attempt();
        await assert.rejects(
          invoker.invoke({ name: "Ada" }, context),
          (error) =>
            error instanceof RowcallError && error.code === "EXTRACT_EMPTY" && error.message.includes("greeting"),
        );
        assert.deepEqual(
          artifacts.map(({ name }) => name),
          ["failure.jpg"],
        );
        assert.equal(steps.at(-1)?.status, "failed");
      },
    ));

  it("blocks hosts other than that of the starting page, and says what to allow", async () => {
    const leave = [
      ...greet,
      { action: "click", locator: { role: "link", name: "elsewhere" } },
      { action: "wait_for", condition: { visible: { css: "#never" } }, timeout_seconds: 30 },
    ];
    const port = new URL(origin).port;
    await withAgent(open({}, leave, "screenshot"), async (invoker) => {
      const { context } = attempt();
      await assert.rejects(invoker.invoke({ name: "Ada" }, context), {
        code: "HOST_BLOCKED",
        hint: `If this host is meant, add "localhost:${port}" to the agent's config.allowed_hosts.`,
      });
    });
  });

  it("keeps a cell from sending the browser elsewhere", () =>
    withAgent(open({ allowed_hosts: ["127.0.0.1"] }, [{ action: "goto", url: "{{name}}" }]), async (invoker) => {
      await assert.rejects(invoker.invoke({ name: "http://evil.test/" }, attempt().context), {
        code: "HOST_BLOCKED",
        message: /evil\.test/,
      });
      await assert.rejects(invoker.invoke({ name: "file:///etc/hostname" }, attempt().context), {
        code: "HOST_BLOCKED",
      });
    }));

  it("does not take another port of the starting page's host for it", () =>
    withAgent(open({}, [{ action: "goto", url: "{{name}}" }]), async (invoker) => {
      const { hostname, port } = new URL(origin);
      const other = `http://${hostname}:${Number(port) + 1}/`;
      await assert.rejects(invoker.invoke({ name: other }, attempt().context), {
        code: "HOST_BLOCKED",
        message: `The page went to host "${new URL(other).host}", which is not allowed (allowed: ${hostname}:${port})`,
      });
    }));

  it("says why a host cannot be reached", () =>
    withAgent(open({ allowed_hosts: ["*"] }, [{ action: "goto", url: "{{name}}" }]), async (invoker) => {
      const closed = createServer();
      await new Promise<void>((resolve) => void closed.listen(0, "127.0.0.1", resolve));
      const { port } = closed.address() as AddressInfo;
      await new Promise((resolve) => closed.close(resolve));
      for (const url of [`http://127.0.0.1:${port}/`, `https://127.0.0.1:${port}/`])
        await assert.rejects(invoker.invoke({ name: url }, attempt().context), {
          code: "PAGE_UNEXPECTED",
          message: `${url} could not be opened: the connection was refused (ECONNREFUSED)`,
        });
    }));

  it("says once that its browser has no sandbox, or does not open where there must be one", async () => {
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    await withAgent(open({}, greet, "none", "/", { warn }), async (invoker) => {
      for (let row = 0; row < 2; row += 1) await invoker.invoke({ name: "Ada" }, attempt().context);
    });
    const strict = open({}, greet, "none", "/", { requireSandbox: true });
    if (warnings.length === 0) await (await strict).close();
    else {
      assert.match(warnings.join("; "), /^Chromium runs without its sandbox: [^;]+$/);
      await assert.rejects(strict, { code: "SANDBOX_MISSING", hint: /--require-sandbox/ });
    }
  });

  it("keeps a cell from naming the host of the starting page", async () => {
    const variables = { site: `${origin}/` };
    await withAgent(open({ variables }, greet, "none", "{{site}}"), async (invoker) => {
      await assert.rejects(invoker.invoke({ name: "Ada", site: "http://evil.test/" }, attempt().context), {
        code: "HOST_BLOCKED",
        message: /evil\.test/,
      });
    });
    await assert.rejects(open({}, greet, "none", "{{site}}"), { code: "AGENT_INVALID", hint: /allowed_hosts/ });
  });

  it("lets go when the attempt's time is up, leaves a picture, and serves the next row", () =>
    withAgent(open({}, greet, "screenshot", "/{{page}}"), async (invoker) => {
      const aborter = new AbortController();
      const asked = new Promise<void>((resolve) => server.once("request", () => resolve()));
      const late = attempt(aborter.signal);
      const invoked = invoker.invoke({ name: "Ada", page: "slow" }, late.context);
      await asked;
      aborter.abort(new RowcallError("TIMEOUT", "Execution timeout"));
      await assert.rejects(invoked, { code: "TIMEOUT" });
      assert.deepEqual(
        late.artifacts.map(({ name }) => name),
        ["failure.jpg"],
      );
      assert.deepEqual(await invoker.invoke({ name: "Ada", page: "" }, attempt().context), {
        structured_output: { greeting: "Hello Ada" },
      });
    }));

  it("names the host it will ask, and shows the script it would run", () =>
    withAgent(open(), async (invoker) => {
      assert.equal(invoker.targetHost?.({ name: "Ada" }), new URL(origin).host);
      const preview = invoker.preview?.({ name: "Ada" }) as { readonly steps: readonly JsonObject[] };
      assert.equal(preview.steps[0]?.["value"], "Ada");
    }));

  it("names a missing variable before any browser starts", () =>
    withAgent(open({}, greet, "none", "/{{page}}"), async (invoker) => {
      await assert.rejects(invoker.invoke({ name: "Ada" }, attempt().context), {
        code: "TEMPLATE_RENDER",
        message: /"page"/,
      });
      assert.equal(invoker.targetHost?.({}), undefined);
    }));

  it("refuses a config with an unknown key and suggests the right one", () =>
    assert.rejects(open({ alowed_hosts: [] }), { code: "AGENT_INVALID", hint: 'Did you mean "allowed_hosts"?' }));

  it("refuses a browser that is not there before the first row", () =>
    assert.rejects(
      openBrowserAgent(agent({}), {
        template: async () =>
          parseTemplateDocument(
            { template_id: "greet", version: "1.0.0", starting_page: origin, steps: greet },
            "template",
          ),
        secret: () => undefined,
        concurrency: 1,
        recording: "none",
        chromiumPath: "/nowhere/chrome",
        aws: { endpoints: {} },
        baseDirectory: "/",
      }),
      { code: "CHROMIUM_NOT_FOUND", message: /\/nowhere\/chrome/ },
    ));

  it("closes twice without complaint, and then refuses rows", async () => {
    const invoker = await open();
    await invoker.close();
    await invoker.close();
    await assert.rejects(invoker.invoke({ name: "Ada" }, attempt().context), { code: "INTERRUPTED" });
  });
});
