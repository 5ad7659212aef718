"""Where tasks call and mail to: servers of ours that answer as late as they are told."""
