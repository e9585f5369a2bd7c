"""The tables of its own beside the resource store: whose shared plan is which, and what is known of each referral."""
