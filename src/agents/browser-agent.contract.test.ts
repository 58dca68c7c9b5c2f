import { once } from "node:events";
import { contractConcurrency, invokerContract, refusal } from "../../test/contracts/invoker-contract.ts";
import { agentOf, anEnvironment } from "../../test/fakes/agent-environment.ts";
import { json, startService, type ReceivedRequest } from "../../test/fakes/echo-service.ts";
import { parseTemplateDocument } from "../core/template.ts";
import { openBrowserAgent } from "./browser-agent.ts";

/** Asks its server about what is typed into it, and shows what the server says. */
const page = `<!doctype html><title>Echo</title>
<label>Text <textarea></textarea></label> <button>Send</button> <p id="told" hidden>Told.</p> <p role="alert" hidden></p>
<script>
  const told = document.querySelector("#told");
  const problem = document.querySelector("[role=alert]");
  document.querySelector("button").onclick = async () => {
    const body = JSON.stringify(document.querySelector("textarea").value);
    const { text, error } = await (await fetch("/ask", { method: "POST", body })).json();
    if (error === undefined) told.title = text;
    else problem.textContent = error;
    (error === undefined ? told : problem).hidden = false;
  };
</script>`;

const template = {
  template_id: "echo",
  version: "1.0.0",
  variables: { text: { required: true, trim: false } },
  steps: [
    { action: "fill", locator: { label: "Text" }, value: "{{text}}" },
    { action: "click", locator: { role: "button", name: "Send" } },
    {
      action: "wait_for",
      first_of: { told: { visible: { css: "#told" } }, problem: { visible: { role: "alert" } } },
      as: "answer",
      timeout_seconds: 30,
    },
    {
      action: "if",
      condition: { value: "answer", equals: "problem" },
      then: [
        { action: "extract", fields: { problem: { locator: { role: "alert" } } } },
        { action: "fail", message: "The page says: {{problem}}" },
      ],
    },
    { action: "extract", fields: { echo: { locator: { css: "#told" }, attribute: "title" } } },
  ],
  output: ["echo"],
};

invokerContract("browser", async () => {
  const asked = ({ path, body }: ReceivedRequest): unknown => (path === "/ask" ? JSON.parse(body) : undefined);
  const site = await startService((request, response) => {
    const text = asked(request);
    if (text === undefined) response.setHeader("content-type", "text/html; charset=utf-8").end(page);
    else if (text === "fail!") json(response, { error: refusal });
    else if (text !== "hang!") json(response, { text });
  });
  const hung = new Promise<void>((resolve) => {
    site.events.on("request", (request: ReceivedRequest) => {
      if (asked(request) === "hang!") resolve();
    });
  });
  const closed = once(site.events, "closed");
  const environment = anEnvironment({
    concurrency: contractConcurrency,
    template: async (reference) =>
      parseTemplateDocument({ ...template, starting_page: site.origin }, `template ${reference}`),
  });
  return {
    invoker: await openBrowserAgent(agentOf("browser", { template: "echo@1.0.0" }), environment),
    echo: (text) => ({ text }),
    fail: () => ({ text: "fail!" }),
    hang: () => ({ text: "hang!" }),
    hanging: () => hung,
    released: async () => void (await closed),
    close: site.close,
  };
});
