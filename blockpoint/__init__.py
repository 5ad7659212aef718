"""What a service imports to be measured; the command itself lies in the packages beside this one."""
