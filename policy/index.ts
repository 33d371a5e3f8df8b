/** The policy pack; README.md has its policies and their settings. */
import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies";

new PolicyPack("multihost", { policies: [...policies] });
