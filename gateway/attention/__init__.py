"""What reaches whom, where and when: the facts about a delivery, the rules, and the one decision made of them."""
