export * from "./CapabilityPolicy.ts";
