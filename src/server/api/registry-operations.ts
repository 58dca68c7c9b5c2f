import { z } from "zod";
import { diffJson } from "../diff.ts";
import type { JsonValue } from "../../core/json.ts";
import type { Catalog } from "../../core/registry.ts";
import type { ServerContext } from "../server-setup.ts";
import { defineOperation, type Operation } from "./operation.ts";
import { agentDocument, jsonObject, jsonValue, publicationStatus, templateDocument } from "./schemas.ts";

interface Face<T> {
  readonly noun: "agent" | "template";
  readonly title: "Agent" | "Template";
  readonly catalog: Catalog<T>;
  readonly document: z.ZodType<T>;
  read(value: unknown): T | Promise<T>;
}

/** Lists, shows, compares and publishes agents and templates. */
export function registryOperations({ registry, workbench }: ServerContext): readonly Operation[] {
  return [
    ...catalogOperations({
      noun: "agent",
      title: "Agent",
      catalog: registry.agents,
      document: agentDocument,
      read: workbench.readAgent,
    }),
    ...catalogOperations({
      noun: "template",
      title: "Template",
      catalog: registry.templates,
      document: templateDocument,
      read: workbench.readTemplate,
    }),
  ];
}

function catalogOperations<T>({ noun, title, catalog, document, read }: Face<T>): readonly Operation[] {
  const tag = `${title}s`;
  const notFound = noun === "agent" ? "AGENT_NOT_FOUND" : "TEMPLATE_NOT_FOUND";
  const invalid = noun === "agent" ? "AGENT_INVALID" : "TEMPLATE_INVALID";
  const params = z.object({ name: z.string().min(1) });
  const version = z.string().regex(/^\d+\.\d+\.\d+$/, 'must be a version such as "1.0.0"');
  return [
    defineOperation(
      {
        id: `list${title}s`,
        method: "get",
        path: `/${noun}s`,
        tag,
        summary: `Every version of every ${noun}`,
        answer: z.object({ [`${noun}s`]: z.array(document) }),
      },
      async () => ({ [`${noun}s`]: await catalog.list() }),
    ),
    defineOperation(
      {
        id: `publish${title}`,
        method: "post",
        path: `/${noun}s`,
        tag,
        summary: `Add a version of ${noun === "agent" ? "an" : "a"} ${noun}; one that is there is never overwritten`,
        body: jsonObject,
        answer: z.object({ registry: z.string().describe("Address of the registry it went to") }),
        status: 201,
        errors: [invalid, "VERSION_EXISTS"],
      },
      async ({ body }) => ({ registry: await catalog.publish(await read(body)) }),
    ),
    defineOperation(
      {
        id: `get${title}`,
        method: "get",
        path: `/${noun}s/{name}`,
        tag,
        summary: `One ${noun}: the newest active version, or the one that is named`,
        params,
        query: z.object({ version: version.optional() }),
        answer: document,
        errors: [notFound],
      },
      async ({ params: { name }, query }) =>
        (await catalog.resolve({ name, ...(query.version === undefined ? {} : { version: query.version }) })) as object,
    ),
    defineOperation(
      {
        id: `diff${title}`,
        method: "get",
        path: `/${noun}s/{name}/diff`,
        tag,
        summary: `Where two versions of ${noun === "agent" ? "an" : "a"} ${noun} differ`,
        params,
        query: z.object({ from: version, to: version }),
        answer: z.object({
          from: document,
          to: document,
          differences: z.array(
            z.object({
              path: z.array(z.union([z.string(), z.int()])),
              before: jsonValue.exactOptional(),
              after: jsonValue.exactOptional(),
            }),
          ),
        }),
        errors: [notFound],
      },
      async ({ params: { name }, query }) => {
        const from = await catalog.resolve({ name, version: query.from });
        const to = await catalog.resolve({ name, version: query.to });
        return { from, to, differences: diffJson(from as JsonValue, to as JsonValue) };
      },
    ),
    defineOperation(
      {
        id: `set${title}Status`,
        method: "put",
        path: `/${noun}s/{name}/versions/{version}/status`,
        tag,
        summary: "Give a version another status; nothing else of a version ever changes",
        params: params.extend({ version }),
        body: z.strictObject({ status: publicationStatus }),
        answer: z.object({ registry: z.string() }),
        errors: [notFound],
      },
      async ({ params: { name, version: number }, body }) => ({
        registry: await catalog.setStatus({ name, version: number }, body.status),
      }),
    ),
  ];
}
