import type { DefaultTheme } from "vitepress";

/** All pages of the site, in the order in which somebody new would read them. */
export const sidebar: DefaultTheme.SidebarItem[] = [
  {
    text: "Getting started",
    items: [
      { text: "What Rowcall is", link: "/" },
      { text: "Your first batch", link: "/getting-started" },
      { text: "Check a batch", link: "/plan" },
      { text: "Try one row", link: "/try" },
      { text: "The dashboard", link: "/dashboard" },
    ],
  },
  {
    text: "Guides",
    items: [
      {
        text: "Agents",
        collapsed: true,
        items: [
          { text: "Browser agents", link: "/agents-browser" },
          { text: "HTTP agents", link: "/agents-http" },
          { text: "Function agents", link: "/agents-function" },
          { text: "Lambda agents", link: "/agents-lambda" },
          { text: "Step Functions agents", link: "/agents-stepfunctions" },
          { text: "Secrets", link: "/secrets" },
          { text: "A new agent kind", link: "/new-agent-kind" },
        ],
      },
      {
        text: "Running batches",
        collapsed: true,
        items: [
          { text: "Notifications", link: "/notifications" },
          { text: "Workers", link: "/workers" },
          { text: "Traces, metrics and logs", link: "/observability" },
          { text: "The server", link: "/serve" },
          { text: "Hardening", link: "/hardening" },
          { text: "Check the machine", link: "/doctor" },
        ],
      },
      {
        text: "Programs and assistants",
        collapsed: true,
        items: [
          { text: "As a library", link: "/library" },
          { text: "The API", link: "/api" },
          { text: "Assistants", link: "/assistants" },
        ],
      },
      {
        text: "On AWS",
        collapsed: true,
        items: [
          { text: "Deployment", link: "/deploy" },
          { text: "Batches from your machine", link: "/aws-engine" },
          { text: "The AWS command line", link: "/aws-cli" },
          { text: "The sandbox", link: "/sandbox" },
        ],
      },
      {
        text: "Examples",
        collapsed: true,
        items: [
          { text: "Broadband for addresses", link: "/examples/broadband" },
          { text: "A service as an agent", link: "/examples/http-agent" },
          { text: "A function as an agent", link: "/examples/function-agent" },
          { text: "A program", link: "/examples/library" },
          { text: "An agent kind", link: "/examples/agent-kind" },
        ],
      },
    ],
  },
  {
    text: "Reference",
    items: [
      { text: "Command line", link: "/cli" },
      { text: "Batch file", link: "/batch-file" },
      { text: "Browser templates", link: "/browser-templates" },
      { text: "Errors", link: "/errors" },
      { text: "Operations of the API", link: "/operations" },
      { text: "CSV in, CSV out", link: "/csv" },
      { text: "Registry", link: "/registry" },
      { text: "Stores", link: "/stores" },
      { text: "What is kept", link: "/data" },
      { text: "Changelog", link: "/changelog" },
    ],
  },
  {
    text: "Explanation",
    items: [
      { text: "Architecture", link: "/architecture" },
      { text: "Threat model", link: "/threat-model" },
      { text: "Security", link: "/security" },
      { text: "Benchmarks", link: "/benchmarks" },
      { text: "Scale and cost on AWS", link: "/aws-scale" },
      { text: "Contributing", link: "/contributing" },
      { text: "Code of conduct", link: "/code_of_conduct" },
    ],
  },
];
