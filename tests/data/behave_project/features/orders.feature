@orders
Feature: Orders at the bakery counter

  What leaves the oven in the morning is all there is for the day.

  Background:
    Given the bakery sells:
      | item      | price | baked |
      | rye loaf  | 4.20  | 6     |
      | croissant | 1.80  | 20    |

  Scenario: An order costs the sum of its items
    Given no coupon is in use
    When Ines orders:
      | item      | count |
      | rye loaf  | 2     |
      | croissant | 3     |
    Then the order costs 13.80 euros

  # Sold out means sold out: nothing is promised for later.
  @stock
  Scenario: An order beyond the shelf is refused
    When Ines orders 7 of "rye loaf"
    Then the order is refused because "only 6 left"
    And 6 of "rye loaf" are left

  Scenario: The receipt names what was bought
    When Ines orders 2 of "croissant"
    Then the receipt reads:
      """
      2 x croissant
      total 3.60 euros
      """

  @audit
  Scenario: Every order is written to the day's log
    When Ines orders 1 of "croissant"
    Then the log of the day has 1 entry

  @wip
  Scenario: A delivery by bicycle
    When Ines orders 1 of "rye loaf"
    And the courier takes it by bicycle
    Then it arrives within 20 minutes
