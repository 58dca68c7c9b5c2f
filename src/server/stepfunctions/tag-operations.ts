import { z } from "zod";
import { operation, type Endpoint, type Operations } from "./operation.ts";
import { members } from "./read-request.ts";
import { findActivity, findMachine } from "./find.ts";

/** Tags: nothing here has any. */
export function tagOperations(endpoint: Endpoint): Operations {
  return {
    ListTagsForResource: operation(z.object({ resourceArn: members.arn }), async ({ resourceArn }) => {
      if (/:activity:/.test(resourceArn)) findActivity(endpoint, resourceArn);
      else await findMachine(endpoint, resourceArn);
      return { tags: [] };
    }),
  };
}
