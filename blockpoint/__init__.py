"""What a service or a locustfile imports; the command itself lies in the packages beside this one."""
