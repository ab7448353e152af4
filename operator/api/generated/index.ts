export * as capabilitypolicyDev from "./capabilitypolicy.dev/index.ts";
