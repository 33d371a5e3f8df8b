/** The policy pack; README.md has its policies and their settings. */
import { PolicyPack } from "@pulumi/policy";
import { endWithEngine } from "./engine";
import { policies } from "./policies";

endWithEngine();
new PolicyPack("multihost", { policies: [...policies] });
