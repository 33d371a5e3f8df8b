/** An Application Load Balancer in front of the shared stack's web servers. */
import { provesBalancer } from "../balancerTypes";

jest.setTimeout(300_000);

provesBalancer("alb");
