import { pathToFileURL } from "node:url";
import type { Workspace } from "./workspace.ts";

/** What `first page.png` holds: every byte there is, so that text that is decoded on the way shows. */
export const photograph: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => byte);

const module: string = `
  export default async ({ n }, { artifacts }) => {
    const photograph = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    await artifacts.save("first page.png", photograph, "image/png");
    await artifacts.save("page.html", Buffer.from("<p>row " + n), "text/html");
    return { structured_output: { seen: n } };
  };
`;

/** Adds the agent `photographer` to a workspace's registry: each attempt leaves `first page.png` and `page.html`. */
export async function addPhotographer(workspace: Workspace): Promise<void> {
  await workspace.write("photographer.mjs", module);
  await workspace.write("registry/agents/photographer_v1.0.0.json", {
    agent_name: "photographer",
    version: "1.0.0",
    kind: "function",
    config: { module: pathToFileURL(workspace.at("photographer.mjs")).href },
    structured_output: { enabled: true, output_fields: ["seen"] },
  });
}
