import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

/** Prints the servers that there are now, after a while if one of those that were printed before is not among them. */
const waitForThoseThatLeft = `
for server in $PULUMI_COMMAND_STDOUT; do
    case " $SERVERS " in
    *" $server "*) ;;
    *)
        sleep "$DRAIN_SECONDS"
        break
        ;;
    esac
done
echo "$SERVERS"`;

/**
 * Holds an update up after servers were taken out of a balancer, until they have finished what they had begun: what removes them comes
 * later, because an engine deletes after it updates. Runs where Pulumi does; reaches no host.
 *
 * @param servers ids of the servers that the balancer has now.
 * @param taken the resources that take them out.
 */
export function drain(
    name: string,
    servers: readonly pulumi.Output<string>[],
    seconds: number,
    taken: readonly pulumi.CustomResource[],
    parent: pulumi.Resource,
): command.local.Command {
    return new command.local.Command(
        `${name}-drain`,
        {
            create: 'echo "$SERVERS"',
            update: waitForThoseThatLeft,
            environment: {
                SERVERS: pulumi.all([...servers]).apply((ids) => ids.join(" ")),
                DRAIN_SECONDS: String(seconds),
            },
        },
        { parent, dependsOn: [...taken] },
    );
}
