import type { Service } from "../routes";

/** Name of the secret that lwsandbox and the App with the agent share: the key with which the agent asks for sandboxes. */
export const agentSandboxesKey = "agent-sandboxes-key";

/** What lets an agent use sandboxes, and nothing else of liteboxd (stack-templates/lwsandbox/agent). */
export const agentService: Service = { name: "sandboxes", upstream: "lwsandbox-agent:8090" };

/** User of that container. */
export const agentUid = 8003;
